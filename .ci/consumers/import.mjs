import assert from 'node:assert'
import aiByDefault, { aiCacheService, createAICacheService, redisAICacheService } from '@tiercel/ai'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'
import { createCache } from '@tiercel/core'

assert.ok(Object.keys(connection).length > 0)
assert.ok(Object.keys(keyv).length > 0)
const cache = createCache()
assert.strictEqual(await cache.getOrSet('answer', () => 42), 42)
assert.strictEqual(await cache.get('answer'), 42)
await assert.rejects(cache.get(''), { code: 'TIERCEL_INVALID_KEY' })
await cache.close()

assert.strictEqual(aiByDefault, aiCacheService)
aiCacheService.setSearchResults('k', ['v'])
assert.deepStrictEqual(aiCacheService.getSearchResults('k'), ['v'])
assert.deepStrictEqual(await redisAICacheService.getSearchResults('k'), ['v'])
await createAICacheService({ redis: false }).close()
