// This file defines suites for others, so it has names for titles and conditions around them.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback, vitest/require-top-level-describe */
import { afterAll, afterEach, beforeAll, beforeEach, describe, vi } from 'vitest'
import { createCache, type Cache, type CacheOptions } from '../../src/index.js'
import { describeWithRedis } from '../redis/server/index.js'
import { kinds, newPrefix, stopServers, type Backend, type Kind } from './kinds.js'

/** What the tests of shared behaviour stand on. They use the public interface only, and await whatever takes time. */
export interface Ground {
  /** A cache that is closed when the test ends. Each has a Redis of its own, so to say. */
  make(options?: CacheOptions): Cache
  /** Lets time pass, and with it whatever was due. */
  pass(ms: number): Promise<void>
  /** Whether this kind has Redis: for `it.skipIf`, with what is true only without it, and the reason. How many there are is printed. */
  leavesOut(because: string): boolean
}

const runsAll = process.env.TIERCEL_PROOF === '1'
const left = new Map<string, number>()

/** Describes behaviour that every kind of cache has, and tests it on each. */
export function describeCaches(subject: string, tests: (ground: Ground) => void): void {
  afterAll(cleanUp)
  for (const kind of kinds) {
    if (!runsAll && kind.subjects !== 'all' && !kind.subjects.includes(subject)) continue
    const describeKind = kind.tier === 'memory' || process.env.REDIS_URL ? describe : describeWithRedis
    describeKind(`${subject} (${kind.name})`, () => {
      onKind(kind, tests)
    })
  }
}

function onKind({ tier, clock, start }: Kind, tests: (ground: Ground) => void): void {
  const made: Cache[] = []
  let backend: Backend
  beforeAll(async () => {
    backend = await start()
  })
  afterAll(() => backend.stop())
  beforeEach(() => clock.start())
  afterEach(async () => {
    await Promise.all(made.splice(0).map((cache) => cache.close()))
    clock.stop()
    vi.restoreAllMocks()
  })
  tests({
    make(options = {}) {
      const { redis } = backend
      const cache = createCache({ redis, prefix: newPrefix(), ...(redis !== false && { connectTimeout: '1m' }), ...options })
      made.push(cache)
      if (redis !== false) clock.watch(cache)
      return cache
    },
    pass: (ms) => clock.pass(ms),
    leavesOut(because) {
      if (tier === 'redis') left.set(because, (left.get(because) ?? 0) + 1)
      return tier === 'redis'
    },
  })
}

/** After the last test of a file. */
async function cleanUp(): Promise<void> {
  await stopServers()
  for (const [because, count] of left) process.stderr.write(`\nLEFT OUT with Redis, ${count} times: ${because}\n`)
  left.clear()
}
