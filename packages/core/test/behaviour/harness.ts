import { afterEach, beforeEach, describe, vi } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'

/** How time goes by for a kind of cache. */
interface Clock {
  start(): void
  pass(ms: number): Promise<void>
  stop(): void
}

/** A kind of cache that has to behave as every other kind does. */
interface Kind {
  readonly name: string
  readonly clock: Clock
  make(options: CacheOptions): Cache
}

/** What the tests of shared behaviour stand on. They use the public interface only, and await whatever takes time. */
export interface Ground {
  /** A cache that is closed when the test ends. */
  make(options?: CacheOptions): Cache
  /** Lets time pass, and with it whatever was due. */
  pass(ms: number): Promise<void>
}

const fakeClock: Clock = {
  start: () => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout', 'Date'] }),
  pass: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
  stop: () => void vi.useRealTimers(),
}

const kinds: readonly Kind[] = [{ name: 'memory', clock: fakeClock, make: (options) => createCache(options) }]

/** Describes behaviour that every kind of cache has, and tests it on each. */
export function describeCaches(subject: string, tests: (ground: Ground) => void): void {
  describe.each(kinds)(`${subject} ($name)`, ({ clock, make }) => {
    const made: Cache[] = []
    beforeEach(() => clock.start())
    afterEach(async () => {
      await Promise.all(made.splice(0).map((cache) => cache.close()))
      clock.stop()
      vi.restoreAllMocks()
    })
    tests({
      make(options = {}) {
        const cache = make(options)
        made.push(cache)
        return cache
      },
      pass: (ms) => clock.pass(ms),
    })
  })
}
