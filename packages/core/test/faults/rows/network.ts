import { expect } from 'vitest'
import { ms, PATIENT } from '../arena.js'
import type { Row } from '../row.js'

/** What happens between a process and Redis. */
export const networkRows: readonly Row[] = [
  {
    fault: 'the connection for commands is half-open',
    injected: 'what is sent on it is lost, and nobody is told',
    promised: 'calls take the deadline at most, and a new connection is made',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const cache = await arena.open(proxy)
      for (const connection of await arena.connections(redis, proxy, 'commands')) connection.blackhole()
      const slowest = await arena.slowest(cache)
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
  {
    fault: 'the connection for messages is half-open',
    injected: 'what is sent on it is lost, and nobody is told',
    promised: 'an old value is served no longer than maxStaleness',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, deaf] = [await arena.open(redis, PATIENT), await arena.open(proxy, { maxStaleness: 500 })]
      await deaf.set('k', 'old')
      for (const connection of await arena.connections(redis, proxy, 'messages')) connection.blackhole('down')
      expect(await one.invalidate({ key: 'k' })).toHaveProperty('durable', true)
      const began = performance.now()
      await arena.until(() => deaf.peek('k') === undefined)
      const held = performance.now() - began
      expect(await deaf.getOrSet('k', () => 'new')).toBe('new')
      return `held for ${ms(held)} of 500 ms`
    },
  },
  {
    fault: 'a connection breaks in the middle of a reply',
    injected: 'RST after 1 to 41 bytes, 5 times',
    promised: 'no call fails or is given what belongs to another',
    async check(arena) {
      const { proxy } = await arena.pair()
      const cache = await arena.open(proxy)
      const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
      await cache.setMany(keys.map((key) => [key, { key }]))
      for (let i = 0; i < 5; i++) {
        proxy.cut(1 + i * 10)
        const read = await Promise.all(keys.map((key) => cache.getOrSet(key, () => ({ key }), { memory: false })))
        expect(read.map(({ key }) => key)).toEqual(keys)
        await arena.connected(cache)
      }
      return `100 reads, each its own; ${proxy.counts.broken} connections broken`
    },
  },
  {
    fault: 'a reply is lost after the command was executed',
    injected: 'each reply of a set and of an invalidation in turn is dropped',
    promised: 'no call fails, and nothing older is left',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [cache, other] = [await arena.open(proxy), await arena.open(redis, PATIENT)]
      for (let i = 1; i <= 6; i++) {
        await other.set('k', `old ${i}`)
        proxy.dropReply()
        await (i % 2 === 0 ? cache.set('k', 'new') : cache.invalidate({ key: 'k' }))
        await arena.connected(cache)
        expect(await other.get('k', { memory: false })).not.toBe(`old ${i}`)
      }
      return `${proxy.counts.dropped} replies lost, nothing old left`
    },
  },
  {
    fault: 'the connection for messages is ended',
    injected: 'CLIENT KILL TYPE pubsub, and an invalidation at once',
    promised: 'the process forgets what it could have missed',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, other] = [await arena.open(proxy), await arena.open(proxy)]
      for (let i = 0; i < 5; i++) {
        // What is set while the subscription is made again is forgotten with everything else.
        await arena.until(async () => (await other.set('k', 'old')) && other.peek('k') === 'old')
        await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
        await one.invalidate({ key: 'k' })
        await arena.until(() => other.peek('k') === undefined)
        await arena.connected(one, other)
      }
      return '5 times, each forgotten'
    },
  },
  {
    fault: 'the subscriber is too slow',
    injected: 'its line stands still, the output buffer of pubsub overflows',
    promised: 'the process forgets what it could have missed',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [one, slow] = [await arena.open(redis), await arena.open(proxy)]
      await slow.set('k', 'old')
      await redis.cli('CONFIG', 'SET', 'client-output-buffer-limit', 'pubsub 64kb 32kb 1')
      for (const connection of await arena.connections(redis, proxy, 'messages')) connection.throttle(1)
      const tags = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(1000, 'x'))
      await arena.until(async () => {
        await one.invalidate({ tags })
        return Number(/client_output_buffer_limit_disconnections:(\d+)/.exec(String(await redis.cli('INFO', 'stats')))?.[1]) > 0 || String(await redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim().split('\n').length < 2
      })
      await one.invalidate({ key: 'k' })
      await proxy.heal()
      await arena.until(() => slow.peek('k') === undefined)
      return 'ended by Redis, and forgotten'
    },
  },
  {
    fault: 'messages come twice or are missing',
    injected: 'a number published again, and one left out',
    promised: 'the process forgets everything it has in memory',
    async check(arena) {
      const { redis } = await arena.pair()
      const cache = await arena.open(redis)
      const channel = 'tiercel:1:bus'
      for (const step of [0, 2]) {
        await cache.set('k', 'value')
        const number = Number(await redis.cli('GET', `${channel}:seq`))
        const flushes = cache.stats().redis?.flushes ?? 0
        await redis.cli('PUBLISH', channel, `${number + step}|["somebody"]`)
        await arena.until(() => (cache.stats().redis?.flushes ?? 0) > flushes && cache.peek('k') === undefined)
      }
      return 'both noticed'
    },
  },
  {
    fault: 'one process is cut off',
    injected: 'its connections break, and new ones are refused',
    promised: 'others do not notice; what it invalidates is told afterwards',
    async check(arena) {
      const { redis, proxy } = await arena.pair()
      const [away, other] = [await arena.open(proxy), await arena.open(redis, PATIENT)]
      await other.set('k', 'old')
      proxy.refuse()
      proxy.reset()
      await arena.until(async () => (await away.invalidate({ key: 'k' })).durable === false)
      expect(other.health().healthy).toBe(true)
      expect(await other.getOrSet('elsewhere', () => 1)).toBe(1)
      expect(away.health().redis).toMatchObject({ breaker: 'open', journal: 1 })
      await proxy.heal()
      const back = await arena.connected(away)
      await arena.until(() => other.peek('k') === undefined)
      expect(await other.get('k')).toBeUndefined()
      return `told after ${ms(back)}`
    },
  },
  {
    fault: 'Redis is far away',
    injected: '300 ms of delay each way, with a deadline of 100 ms',
    promised: 'calls take the deadline at most, and Redis is used again when it is near',
    async check(arena) {
      const { proxy } = await arena.pair()
      const cache = await arena.open(proxy)
      proxy.delay(300)
      const slowest = await arena.slowest(cache)
      await proxy.heal()
      return `slowest call ${ms(slowest)}, back after ${ms(await arena.connected(cache))}`
    },
  },
]
