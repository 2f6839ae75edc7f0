import assert from 'node:assert'
import { createRequire } from 'node:module'
import * as ai from '@tiercel/ai'
import * as core from '@tiercel/core'
import * as decorators from '@tiercel/decorators'
import * as express from '@tiercel/express'

// Two copies would mean two registries and an instanceof that fails across them.
const require = createRequire(import.meta.url)
for (const [name, imported] of Object.entries({ '@tiercel/ai': ai, '@tiercel/core': core, '@tiercel/decorators': decorators, '@tiercel/express': express })) {
  const required = require(name)
  for (const each of Object.keys(imported)) assert.strictEqual(required[each], imported[each], `${each} of ${name} exists twice`)
}
