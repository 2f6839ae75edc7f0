import { expectTypeOf, test } from 'vitest'
import { createCache, type Wrapped } from '../../src/index.js'

interface User {
  readonly id: string
}

declare function find(id: string, version?: number): Promise<User>
declare function count(): number

test('a wrapped function takes what the function takes, and gives a promise of it', () => {
  const cache = createCache()
  expectTypeOf(cache.wrap(find, { key: (id, version) => `${id}:${version}` })).toEqualTypeOf<Wrapped<[id: string, version?: number], User>>()
  expectTypeOf(cache.wrap(count, { key: () => 'count' })).toEqualTypeOf<Wrapped<[], number>>()
  expectTypeOf(cache.wrap((id: number) => [id], { key: String, tags: (id) => [id.toFixed()] })).toEqualTypeOf<Wrapped<[id: number], number[]>>()
  // @ts-expect-error It takes another argument.
  cache.wrap(find, { key: (id: number) => `${id}` })
})
