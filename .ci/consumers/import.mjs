import assert from 'node:assert'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'
import * as testing from '@tiercel/core/testing'
import { createCache } from '@tiercel/core'

assert.ok(Object.keys(connection).length > 0)
assert.ok(Object.keys(keyv).length > 0)
const clock = testing.startFakeClock()
const cache = createCache()
assert.strictEqual(await cache.getOrSet('answer', () => 42), 42)
assert.strictEqual(await cache.get('answer'), 42)
await assert.rejects(cache.get(''), { code: 'TIERCEL_INVALID_KEY' })
await clock.advance('5m')
assert.strictEqual(await cache.get('answer'), undefined)
await cache.close()
clock.stop()
await assert.rejects(testing.startRedis({ executable: '/nowhere' }), { code: 'TIERCEL_MISSING_PROGRAM' })
