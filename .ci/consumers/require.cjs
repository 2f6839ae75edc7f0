const assert = require('node:assert')
const { aiCacheService, default: aiByDefault } = require('@tiercel/ai')
const { createCache } = require('@tiercel/core')
const { join, dirname } = require('node:path')

assert.ok(Object.keys(require('@tiercel/core/connection')).length > 0)
assert.ok(Object.keys(require('@tiercel/core/keyv')).length > 0)

const main = async () => {
  const cache = createCache()
  const value = await cache.getOrSet('answer', () => new Map([['answer', 42n]]))
  assert.deepStrictEqual(value, new Map([['answer', 42n]]))
  assert.strictEqual(await cache.get('answer'), value)
  await assert.rejects(cache.get(''), { code: 'TIERCEL_INVALID_KEY' })
  await cache.close()

  assert.strictEqual(aiByDefault, aiCacheService)
  const results = [{ at: new Date(0) }]
  aiCacheService.setSearchResults('k', results)
  assert.strictEqual(aiCacheService.getSearchResults('k'), results)

  // The CommonJS half itself, also where `require` above was given the ES modules.
  const half = join(dirname(require.resolve('@tiercel/core/package.json')), 'dist/cjs')
  assert.strictEqual(typeof require(join(half, 'index.js')).createCache, 'function')
  const halfOfAI = join(dirname(require.resolve('@tiercel/ai/package.json')), 'dist/cjs')
  assert.strictEqual(typeof require(join(halfOfAI, 'index.js')).createAICacheService, 'function')
  const { SuperJSON } = require(join(half, 'codec/superjson.js'))
  const codec = new SuperJSON()
  assert.deepStrictEqual(codec.parse(codec.stringify(value)), value)
}
main()
