import keyvTestSuite from '@keyv/test-suite'
import { createCache } from '@tiercel/core'
import { KeyvTiercel } from '@tiercel/core/keyv'
import Keyv, { type KeyvStoreAdapter } from 'keyv'
import * as vitest from 'vitest'
import { describe, expect, expectTypeOf, it } from 'vitest'

describe("Keyv's own test suite", () => {
  keyvTestSuite(vitest, Keyv, () => new KeyvTiercel())
})

describe('KeyvTiercel', () => {
  it('is a store by the types of Keyv', () => {
    expectTypeOf<KeyvTiercel>().toExtend<Pick<KeyvStoreAdapter, 'opts' | 'namespace' | 'get' | 'set' | 'delete' | 'clear' | 'has' | 'getMany' | 'deleteMany'>>()
  })

  it('clears a namespace whose name is full of wildcards, and no other', async () => {
    const cache = createCache()
    const wild = new Keyv({ store: new KeyvTiercel(cache), namespace: '*[a]?' })
    const other = new Keyv({ store: new KeyvTiercel(cache), namespace: 'other' })
    await wild.set('key', 1)
    await other.set('key', 2)
    await wild.clear()
    expect([await wild.get('key'), await other.get('key')]).toEqual([undefined, 2])
  })

  it('leaves a cache it was given open, and closes one it made', async () => {
    const cache = createCache()
    await new KeyvTiercel(cache).disconnect()
    expect(await cache.set('key', 1)).toBe(true)
    const store = new KeyvTiercel({ ttl: '1s' })
    await store.disconnect()
    await expect(store.set('key', 1)).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })

  it('hands errors of the cache on to Keyv', async () => {
    const keyv = new Keyv({ store: new KeyvTiercel(), serialize: undefined as never, deserialize: undefined as never })
    const errors: unknown[] = []
    keyv.on('error', (error: unknown) => errors.push(error))
    await (keyv.store as KeyvTiercel).set('key', () => 'a function cannot be kept')
    expect(errors).toMatchObject([{ code: 'TIERCEL_UNCACHEABLE' }])
  })

  it('is told of errors no more once it stopped listening', async () => {
    const store = new KeyvTiercel()
    const errors: unknown[] = []
    const listener = (error: unknown) => errors.push(error)
    store.on('error', listener).on('error', listener)
    await store.set('key', () => {})
    store.off('error', listener)
    await store.set('key', () => {})
    expect(errors).toHaveLength(1)
  })
})
