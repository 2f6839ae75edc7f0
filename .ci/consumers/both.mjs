import assert from 'node:assert'
import { createRequire } from 'node:module'
import * as ai from '@tiercel/ai'
import * as core from '@tiercel/core'

// Two copies would mean two registries and an instanceof that fails across them.
const require = createRequire(import.meta.url)
for (const [imported, required] of [
  [core, require('@tiercel/core')],
  [ai, require('@tiercel/ai')],
]) {
  for (const name of Object.keys(imported)) assert.strictEqual(required[name], imported[name], `${name} exists twice`)
}
