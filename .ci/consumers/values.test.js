const { aiCacheService } = require('@tiercel/ai')
const { createCache } = require('@tiercel/core')
const { dirname, join } = require('node:path')

test('a cache keeps values', async () => {
  const cache = createCache()
  await cache.set('when', { at: new Date(0), tags: new Set(['a']) })
  expect(await cache.get('when')).toEqual({ at: new Date(0), tags: new Set(['a']) })
  await cache.close()
})

test('values beyond JSON are encoded without loading an ES module', () => {
  const { SuperJSON } = require(join(dirname(require.resolve('@tiercel/core/package.json')), 'dist/cjs/codec/superjson.js'))
  const codec = new SuperJSON()
  expect(codec.parse(codec.stringify(new Map([['a', 1n]])))).toEqual(new Map([['a', 1n]]))
})

test('an AI cache is there, synchronously, and leaves nothing that keeps jest waiting', () => {
  aiCacheService.setChatResponse('k', { response: 'hello' })
  expect(aiCacheService.getChatResponse('k')).toEqual({ response: 'hello' })
})
