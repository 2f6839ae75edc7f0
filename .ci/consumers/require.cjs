const assert = require('node:assert')
const { aiCacheService, default: aiByDefault } = require('@tiercel/ai')
const { createCache } = require('@tiercel/core')
const { join, dirname } = require('node:path')

assert.ok(Object.keys(require('@tiercel/core/connection')).length > 0)
assert.ok(Object.keys(require('@tiercel/core/keyv')).length > 0)

const { startFakeClock, startProxy } = require('@tiercel/core/testing')

const main = async () => {
  const proxy = await startProxy(1)
  assert.ok(proxy.port > 0)
  await proxy.stop()
  const clock = startFakeClock()
  const cache = createCache()
  await require('@tiercel/core/opentelemetry').instrument(cache)
  const value = await cache.getOrSet('answer', () => new Map([['answer', 42n]]))
  assert.deepStrictEqual(value, new Map([['answer', 42n]]))
  assert.strictEqual(await cache.get('answer'), value)
  await assert.rejects(cache.get(''), { code: 'TIERCEL_INVALID_KEY' })
  await clock.advance('5m')
  assert.strictEqual(await cache.get('answer'), undefined)
  await cache.close()
  clock.stop()

  assert.strictEqual(aiByDefault, aiCacheService)
  const results = [{ at: new Date(0) }]
  aiCacheService.setSearchResults('k', results)
  assert.strictEqual(aiCacheService.getSearchResults('k'), results)

  // The CommonJS half itself, also where `require` above was given the ES modules.
  for (const name of ['Cached', 'cacheOf']) assert.strictEqual(typeof require('@tiercel/decorators')[name], 'function')
  assert.strictEqual(typeof require(join(dirname(require.resolve('@tiercel/decorators/package.json')), 'dist/cjs/index.js')).Cached, 'function')
  for (const name of ['cacheResponses', 'invalidateResponses', 'operatorRouter']) assert.strictEqual(typeof require('@tiercel/express')[name], 'function')
  assert.strictEqual(typeof require(join(dirname(require.resolve('@tiercel/express/package.json')), 'dist/cjs/index.js')).cacheResponses, 'function')
  const half = join(dirname(require.resolve('@tiercel/core/package.json')), 'dist/cjs')
  const ofHalf = require(join(half, 'index.js')).createCache()
  const { stop } = await require(join(half, 'opentelemetry.js')).instrument(ofHalf)
  stop()
  await ofHalf.close()
  const halfOfAI = join(dirname(require.resolve('@tiercel/ai/package.json')), 'dist/cjs')
  assert.strictEqual(typeof require(join(halfOfAI, 'index.js')).createAICacheService, 'function')
  assert.strictEqual(typeof require(join(half, 'testing.js')).startRedis, 'function')
  const { SuperJSON } = require(join(half, 'codec/superjson.js'))
  const codec = new SuperJSON()
  assert.deepStrictEqual(codec.parse(codec.stringify(value)), value)
}
main()
