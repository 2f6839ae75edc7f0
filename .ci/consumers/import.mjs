import assert from 'node:assert'
import aiByDefault, { aiCacheService, createAICacheService, redisAICacheService } from '@tiercel/ai'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'
import { instrument } from '@tiercel/core/opentelemetry'
import * as testing from '@tiercel/core/testing'
import { createCache } from '@tiercel/core'
import { Cached, useCache } from '@tiercel/decorators'
import { cacheResponses } from '@tiercel/express'

assert.ok(Object.keys(connection).length > 0)
assert.ok(Object.keys(keyv).length > 0)
const clock = testing.startFakeClock()
const cache = createCache()
const instrumentation = await instrument(cache)
assert.strictEqual(await cache.getOrSet('answer', () => 42), 42)
assert.strictEqual(await cache.get('answer'), 42)
await assert.rejects(cache.get(''), { code: 'TIERCEL_INVALID_KEY' })

// As a compiler applies it.
class Trips {
  runs = 0
  async find(id) {
    return `${id} ${++this.runs}`
  }
}
useCache(cache)
const descriptor = Object.getOwnPropertyDescriptor(Trips.prototype, 'find')
Object.defineProperty(Trips.prototype, 'find', Cached()(Trips.prototype, 'find', descriptor))
const trips = new Trips()
assert.deepStrictEqual([await trips.find('1'), await trips.find('1')], ['1 1', '1 1'])
assert.throws(() => cacheResponses({ cache, tll: '1m' }), { code: 'TIERCEL_INVALID_OPTION' })
assert.strictEqual(typeof cacheResponses({ cache, ttl: '1m' }), 'function')
await clock.advance('5m')
assert.strictEqual(await cache.get('answer'), undefined)
instrumentation.stop()
await cache.close()
clock.stop()
await assert.rejects(testing.startRedis({ executable: '/nowhere' }), { code: 'TIERCEL_MISSING_PROGRAM' })

assert.strictEqual(aiByDefault, aiCacheService)
aiCacheService.setSearchResults('k', ['v'])
assert.deepStrictEqual(aiCacheService.getSearchResults('k'), ['v'])
assert.deepStrictEqual(await redisAICacheService.getSearchResults('k'), ['v'])
await createAICacheService({ redis: false }).close()
