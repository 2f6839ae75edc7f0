import assert from 'node:assert'
import { createRequire } from 'node:module'
import * as imported from '@tiercel/core'

// Two copies would mean two registries and an instanceof that fails across them.
const required = createRequire(import.meta.url)('@tiercel/core')
for (const name of Object.keys(imported)) assert.strictEqual(required[name], imported[name], `${name} exists twice`)
