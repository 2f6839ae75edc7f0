import { afterEach, describe, expect, it, vi } from 'vitest'
import { TokenRegistry } from '../../src/coherence/index.js'
import { Entry, MemoryStore } from '../../src/memory/index.js'
import { openedCache } from '../memory/opened.js'

/** Counts every call of the methods that could touch entries, tokens or what is indexed by key. */
function countedWork(): () => number {
  const spies = [Map.prototype, Set.prototype, TokenRegistry.prototype, MemoryStore.prototype, Entry.prototype].flatMap((prototype: object) =>
    Object.entries(Object.getOwnPropertyDescriptors(prototype))
      .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
      .map(([name]) => vi.spyOn(prototype as Record<string, () => unknown>, name)),
  )
  return () => {
    const calls = spies.map((spy) => spy.mock.calls.length)
    vi.restoreAllMocks()
    return calls.reduce((sum, each) => sum + each, 0)
  }
}

/** The same array, telling whenever it is looked at. */
function watched<T extends object>(array: T, onLook: () => void): T {
  return new Proxy(array, {
    get(target, name, receiver) {
      onLook()
      return Reflect.get(target, name, receiver) as unknown
    },
  })
}

describe('invalidating a tag', () => {
  afterEach(() => void vi.restoreAllMocks())

  it('costs the same for 1,000,000 entries as for 1,000, and so does expiring one', async () => {
    const work: number[][] = []
    for (const size of [1000, 1_000_000]) {
      const { cache, inside } = openedCache({ memory: { maxEntries: size, maxBytes: 2 ** 32 } })
      let looks = 0
      const held = inside.tokens.holdAll(['tiercel\0g', 'tiercel\0ttag'])
      const tokens = watched(held, () => looks++)
      for (let i = 0; i < size; i++) {
        inside.tokens.holdAgain(held)
        inside.memory.set(`k${i}`, new Entry(i, 1e12, 1e12, 0, 1e12, tokens, undefined), 8)
      }
      inside.tokens.release(held)
      const costs: number[] = []
      for (const mode of ['expire', 'invalidate'] as const) {
        looks = 0
        const calls = countedWork()
        const ended = cache[mode]({ tag: 'tag' })
        costs.push(calls() + looks)
        await ended
        expect(await cache.getMany(['k0', `k${size - 1}`])).toEqual(new Map())
      }
      expect(inside.memory.size).toBe(size)
      await cache.close()
      expect(inside.tokens.size).toBe(0)
      work.push(costs)
    }
    expect(work[1]).toEqual(work[0])
    expect(Math.min(...work.flat())).toBeGreaterThan(0)
  })
})
