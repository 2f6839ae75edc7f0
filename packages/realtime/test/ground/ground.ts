// This file defines suites for others, so it has names for titles and conditions around them.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback, vitest/require-top-level-describe, vitest/no-hooks */
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import type { RedisTarget } from '@tiercel/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, vi } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../core/test/redis/server/index.js'
import { Backend, type BackendOptions } from '../../src/backend/backend.js'
import { MemoryKeyspace } from '../../src/keyspace/memory-keyspace.js'

const require = createRequire(import.meta.url)

/** What the tests of shared behaviour stand on: several backends of one Redis, or of one memory, each as if in a process of its own. */
export interface Ground {
  readonly hasRedis: boolean
  /** All keys of the test. */
  readonly prefix: string
  /** Another process, so to say. Closed when the test ends. */
  process(options?: BackendOptions): Promise<Backend>
  /** One command from outside, on the keys as they are. */
  cli(...command: (string | number)[]): Promise<unknown>
}

export interface RedisGround extends Ground {
  readonly redis: RedisServer
  /** What the client connects to, for those who connect to it through something else. */
  target(url: string): RedisTarget
}

/** For what comes about by itself: soon, but nobody says when. */
export const soon = { timeout: 30_000, interval: 5 }

export type Client = 'redis' | 'ioredis'

/** Describes behaviour that is the same everywhere, and tests it in memory and on Redis, by either client. */
export function describeEverywhere(subject: string, tests: (ground: Ground) => void): void {
  describe(`${subject} (memory)`, () => {
    let memory = new MemoryKeyspace()
    beforeEach(() => {
      memory = new MemoryKeyspace()
    })
    onGround(tests, {
      hasRedis: false,
      open: (options) => Promise.resolve(new Backend(options, memory)),
      cli: (...command) => Promise.resolve(memory.send(command)),
    })
  })
  describeOnRedis(subject, tests)
}

/** What can be true with Redis only: what others see there, and what happens without it. */
export function describeOnRedis(subject: string, tests: (ground: RedisGround) => void): void {
  for (const client of ['redis', 'ioredis'] as const) {
    describeWithRedis(`${subject} (${client === 'redis' ? 'node-redis' : client})`, () => {
      let redis: RedisServer
      beforeAll(async () => {
        redis = await startRedis()
      })
      afterAll(() => redis.stop())
      const target = (url: string) => template(client, url)
      onGround(tests, {
        hasRedis: true,
        get redis() {
          return redis
        },
        target,
        open: async (options) => {
          const backend = new Backend({ redis: target(redis.url), ...options })
          // With a short deadline a busy machine has not connected when that is over.
          if (options.redis === undefined) await vi.waitUntil(() => backend.link?.state === 'up', soon)
          else await backend.ready()
          return backend
        },
        cli: (...command) => redis.cli(...command),
      })
    })
  }
}

type Base<G extends Ground> = Omit<G, 'process' | 'prefix'> & { open(options: BackendOptions): Promise<Backend> }

function onGround<G extends Ground>(tests: (ground: G) => void, base: Base<G>): void {
  const opened: Backend[] = []
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  let prefix = ''
  beforeEach(() => {
    prefix = `t${randomBytes(5).toString('hex')}:`
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((backend) => backend.close()))
    process.off('unhandledRejection', note)
    expect(unhandled.splice(0), 'rejections that nobody handled').toEqual([])
  })
  const ground = Object.defineProperties({} as G, {
    ...Object.getOwnPropertyDescriptors(base),
    prefix: { get: () => prefix },
    process: {
      value: async (options: BackendOptions = {}) => {
        const backend = await base.open({ prefix, deadline: '30s', serverId: `server-${opened.length + 1}`, ...options })
        opened.push(backend)
        return backend
      },
    },
  })
  tests(ground)
}

export function template(client: Client, url: string): RedisTarget {
  if (client === 'redis') {
    const { createClient } = require(client) as { createClient(options: object): RedisTarget }
    return createClient({ url })
  }
  const { Redis } = require(client) as { Redis: new (url: string, options: object) => RedisTarget }
  return new Redis(url, { lazyConnect: true })
}
