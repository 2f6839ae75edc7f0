import { setTimeout as realPause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { Namespaces } from '../../../../src/cache/namespaces.js'
import { allMechanisms, type Mechanisms } from '../../../../src/coherence/index.js'
import { Shared } from '../../../../src/flight/index.js'
import type { Cache, CacheOptions } from '../../../../src/index.js'
import { namespaceLevels, resolveCache } from '../../../../src/options/index.js'
import { openConnection, type RedisConnection } from '../../../../src/redis/clients/index.js'
import { Remote, RedisNames } from '../../../../src/redis/index.js'
import { startRedis, type RedisServer } from '../../server/index.js'
import { BusTap } from './bus-tap.js'
import { Link } from './link.js'

/** A cache as it would be in a process of its own. */
export interface Process {
  readonly cache: Cache
  readonly link: Link
  readonly shared: Shared
  readonly remote: Remote
}

export interface ProcessOptions extends CacheOptions {
  readonly without?: readonly (keyof Mechanisms)[]
  readonly kind?: 'standalone' | 'cluster'
}

/** Some processes on one Redis, in a time that only the test lets pass. */
export interface Stage {
  readonly redis: RedisServer
  open(options?: ProcessOptions): Promise<Process>
  /** As `open`, without waiting for the connection. */
  opening(options?: ProcessOptions): Process
  /** Redis, from outside. Names are given without what tells one test from another. */
  readonly redisKey: {
    entry(key: string, path?: string): string
    lease(key: string, path?: string): string
    token(label: string, path?: string): string
    sequence(path?: string): string
    run(path?: string): string
  }
  drop(...names: readonly string[]): Promise<void>
  /** Redis dies and is started again from what it saved last. All connections break and are made again; what becomes of subscriptions is for the test to say. */
  restart(): Promise<void>
  /** All processes end and Redis is empty, as at the beginning. */
  leave(): Promise<void>
  /** Time goes by and whatever is due happens. */
  pass(ms: number): Promise<void>
  /** As `pass`, but what comes of it takes its own time. */
  tick(ms: number): Promise<void>
  /** Lets time pass until a call has ended, and tells how much it took, to within 10 ms. */
  timeOf(call: Promise<unknown>): Promise<number>
  /** Time has gone by, as for a process that was stopped: nothing that was due has happened yet. */
  jump(ms: number): void
  /** Time that really passes, for what takes its time from nowhere else. */
  realPause(ms: number): Promise<unknown>
  /** Resolves once everything under way has come as far as it can. */
  settled(): Promise<void>
}

export function useStage(): Stage {
  let redis: RedisServer
  let server: RedisConnection
  let tests = 0
  let names: RedisNames
  let jumped = 0
  const processes: Process[] = []

  beforeAll(async () => {
    redis = await startRedis()
    server = openConnection(redis.url, { connectTimeoutMs: 20_000, onError: () => {} })
    // Once time is faked, nothing that has to be tried again ever is.
    await server.send(['PING'], { route: '', timeoutMs: 20_000 })
  })
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
    jumped = 0
    const { performance } = globalThis
    const now = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => now() + jumped)
    names = new RedisNames(`test${++tests}.`)
  })
  const restart = async () => {
    await redis.kill()
    await redis.start()
    for (;;) {
      await vi.advanceTimersByTimeAsync(50)
      await new Promise((resolve) => setImmediate(resolve))
      if (server.isUp && (await isHeardAgain())) return
    }
  }
  const isHeardAgain = async () => {
    const [, subscribers] = (await redis.cli('PUBSUB', 'NUMSUB', names.busChannel('tiercel'))) as [string, number]
    return subscribers === 1
  }
  const leave = async () => {
    const all = processes.splice(0)
    await Promise.all(all.map(({ cache }) => cache.close()))
    await redis.cli('FLUSHALL')
    expect(all.flatMap(({ link }) => link.faults)).toEqual([])
  }
  afterEach(async () => {
    await leave()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })
  afterAll(async () => {
    await server.close(1000)
    await redis.stop()
  })

  let tap: BusTap | undefined
  let tapOf = 0
  const tapNow = () => {
    if (tap === undefined || tapOf !== tests) tap = new BusTap(server)
    tapOf = tests
    return tap
  }
  const opening = ({ without = [], kind, ...options }: ProcessOptions = {}): Process => {
    // A deadline that never comes by itself, and what memory holds is trusted for long, unless that is the subject.
    const settings = resolveCache({ redis: false, deadline: '1h', maxStaleness: '1h', ttl: '10h', prefix: `test${tests}.`, ...options })
    const mechanisms = { ...allMechanisms, ...Object.fromEntries(without.map((name) => [name, false])) }
    const link = new Link(server, tapNow(), kind)
    const levels = namespaceLevels(settings.name)
    const busPath = levels[0] as string
    const shared = new Shared(settings, mechanisms, (handlers) => new Remote(link, { ...settings, mechanisms, busPath }, handlers))
    const { root: cache } = new Namespaces(shared, levels, options)
    const process = { cache, link, shared, remote: shared.remote as Remote }
    processes.push(process)
    return process
  }
  return {
    get redis() {
      return redis
    },
    opening,
    async open(options) {
      const process = opening(options)
      await process.cache.ready()
      return process
    },
    redisKey: {
      entry: (key, path = 'tiercel') => names.entry(path, key),
      lease: (key, path = 'tiercel') => names.lease(names.entry(path, key)),
      token: (label, path = 'tiercel') => names.token(`${path}\0${label}`),
      sequence: (path = 'tiercel') => names.busSequence(path),
      run: (path = 'tiercel') => names.run(path),
    },
    drop: async (...keys) => void (await redis.cli('DEL', ...keys)),
    pass: async (ms) => {
      await vi.advanceTimersByTimeAsync(ms)
      await settled()
    },
    tick: async (ms) => void (await vi.advanceTimersByTimeAsync(ms)),
    timeOf: async (call) => {
      const began = performance.now()
      const after = async () => {
        await vi.advanceTimersByTimeAsync(10)
        await settled()
        return 'not yet'
      }
      const ended = call.then(() => performance.now() - began)
      for (;;) {
        const took = await Promise.race([ended, after()])
        if (typeof took === 'number') return took
      }
    },
    jump: (ms) => {
      jumped += ms
    },
    realPause: (ms) => realPause(ms),
    settled,
    restart,
    leave,
  }

  /** Nothing has been on its way to Redis or back three times in a row. Who waits for another process's load looks again and again: it is not waited for. */
  async function settled(): Promise<void> {
    for (let turn = 0, quiet = 0; turn < 100 && quiet < 3; turn++) {
      await redis.cli('PING')
      await tapNow().caughtUp()
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
      quiet = processes.some(({ link }) => link.atRedis > 0) ? 0 : quiet + 1
    }
  }
}
