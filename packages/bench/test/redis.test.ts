import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../core/test/redis/server/index.js'
import { hitsBefore } from '../src/benchmarks/redis/hit.js'
import { openCache } from '../src/benchmarks/redis/open-cache.js'
import { openNodeRedis, type NodeRedis } from '../src/redis/clients.js'
import { longestCommandOf } from '../src/redis/slow-log.js'
import { trafficOf } from '../src/redis/traffic.js'
import { NoRedis, withRedis } from '../src/redis/with-redis.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('without a Redis', () => {
  it('a benchmark that needs one says how to get one', async () => {
    vi.stubEnv('REDIS_URL', '')
    vi.stubEnv('PATH', '')
    const left = withRedis(async () => 'measured')
    await expect(left).rejects.toThrow(NoRedis)
    await expect(left).rejects.toThrow('set REDIS_URL to one that nobody else uses, or put redis-server or valkey-server on PATH')
  })
})

describeWithRedis('a benchmark with a Redis', () => {
  let server: RedisServer
  let admin: NodeRedis

  beforeEach(async () => {
    server = await startRedis()
    admin = await openNodeRedis(server.url)
  })

  afterEach(async () => {
    admin.destroy()
    await server.stop()
  })

  it('has one of its own that is gone afterwards', async () => {
    const url = await withRedis(async (place) => {
      expect(await place.admin.ping()).toBe('PONG')
      return place.url
    })
    await expect(openGone(url)).rejects.toThrow()
  })

  it('leaves nothing of its own behind in the one of REDIS_URL', async () => {
    vi.stubEnv('REDIS_URL', server.url)
    await admin.set('theirs', '1')
    await withRedis(async ({ name, admin: own }) => {
      await own.set(`${name}-cache:1:g`, 'token')
      await own.set(`bentocache:${name}:key`, 'value')
      expect(await admin.dbSize()).toBe(3)
    })
    expect(await admin.keys('*')).toEqual(['theirs'])
  })

  it('counts the commands and bytes of what it does, and nothing else', async () => {
    const { commands, bytes } = await trafficOf(admin, () => admin.get('before'), () => admin.set('key', 'value'))
    expect([...commands]).toEqual([['set', 1]])
    expect(bytes).toBe('*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n'.length)
  })

  it('counts again when a heartbeat came in between', async () => {
    let attempts = 0
    const { commands } = await trafficOf(
      admin,
      async () => attempts++,
      async () => {
        if (attempts < 3) await admin.sendCommand(['TIME'])
        await admin.set('key', 'value')
      },
    )
    expect(attempts).toBe(3)
    expect([...commands]).toEqual([['set', 1]])
  })

  it('finds the command that held the server up the longest, and leaves the log set up as it was', async () => {
    const before = await admin.configGet('slowlog-*')
    const busyFor = (us: number) => admin.eval(`local function now() local t = redis.call('TIME') return t[1] * 1e6 + t[2] end local start = now() while now() - start < ${us} do end`)
    await busyFor(2_000_000)
    expect(await longestCommandOf(admin, () => admin.ping())).toBeLessThan(2_000_000)
    expect(await longestCommandOf(admin, () => busyFor(20_000))).toBeGreaterThanOrEqual(20_000)
    expect(await admin.configGet('slowlog-*')).toEqual(before)
  })

  it('compares hits in memory with Redis behind it to hits in memory only', async () => {
    const lines = await hitsBefore((which) => openCache({ name: `hit-${which}`, redis: server.url, maxStaleness: '1m' }), 8, { rounds: 2, sampleMs: 0, warmUpMs: 0 })
    expect(lines.map(({ us, peer, target }) => [us.name, peer.name, target])).toEqual([
      ['getOrSet', 'getOrSet, memory only', 1.4],
      ['getOrSet, two tags', 'getOrSet, two tags, memory only', 1.4],
      ['get', 'get, memory only', 1.4],
      ['peek', 'peek, memory only', 1.4],
    ])
    expect(await admin.exists('hit-0:1:{key:0}:v')).toBe(1)
  })
})

async function openGone(url: string): Promise<void> {
  const { createClient } = await import('redis')
  const client = createClient({ url, socket: { reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  client.destroy()
}
