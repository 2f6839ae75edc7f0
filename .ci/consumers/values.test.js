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
