import { afterEach, expect, it, vi } from 'vitest'
import { closeDefaultBackend, defaultBackend } from '../../src/backend/choice.js'
import { cacheDelete, cacheDeletePattern, cacheGet, cacheSet, createRedisService, redisService, type RedisService } from '../../src/redis-service/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'

/** Seconds that are left, as they were when it began: a little later there are some less. */
const tens = (seconds: number) => Math.ceil(seconds / 10) * 10

/** Every command once, and what it gives. */
async function everything(service: RedisService): Promise<unknown[]> {
  return [
    await service.get('k'),
    await service.set('k', 'v', 60),
    await service.get('k'),
    tens(await service.ttl('k')),
    await service.exists('k'),
    await service.expire('k', 30),
    tens(await service.ttl('k')),
    await service.setIfAbsent('k', 'w'),
    await service.setIfAbsent('n', 'w', 60),
    await service.setJSON('j', { a: [1, null] }),
    await service.getJSON('j'),
    await service.ttl('j'),
    await service.getJSON('k'),
    await service.incr('c'),
    await service.incrBy('c', 5),
    await service.decr('c'),
    await service.hset('h', { a: '1', b: '2' }),
    await service.hset('h', {}),
    await service.hget('h', 'a'),
    await service.hgetall('h'),
    await service.hincrby('h', 'a', 2),
    await service.hexists('h', 'b'),
    await service.hlen('h'),
    await service.hdel('h', 'b', 'x'),
    await service.hkeys('h'),
    await service.sadd('s', 'x', 'y', 'x'),
    (await service.smembers('s')).toSorted(),
    await service.sismember('s', 'x'),
    await service.srem('s', 'x'),
    await service.scard('s'),
    await service.rpush('l', 'a', 'b'),
    await service.lpush('l', 'c', 'd'),
    await service.lrange('l', 0, -1),
    await service.lpop('l'),
    await service.rpop('l'),
    await service.lrem('l', 0, 'c'),
    await service.ltrim('l', 0, 5),
    await service.llen('l'),
    await service.ttl('none'),
    await service.del('k', 'n', 'none'),
    await service.set('u:1', 'x'),
    await service.set('u:2', 'x'),
    await service.deletePattern('u:*'),
    await service.exists('u:1'),
  ]
}

const results = [
  null, undefined, 'v', 60, true, true, 30, false, true, undefined, { a: [1, null] }, -1, null, 1, 6, 5, 2, 0, '1', { a: '1', b: '2' }, 3, true, 2, 1, ['a'], 2, ['x', 'y'], true, 1, 1,
  2, 4, ['d', 'c', 'a', 'b'], 'd', 'b', 1, undefined, 1, -2, 2, undefined, undefined, 2, false,
]

afterEach(async () => {
  await closeDefaultBackend()
  vi.unstubAllEnvs()
})

describeEverywhere('the Redis service', (ground) => {
  it('has commands for strings, JSON, hashes, sets and lists, with the same results everywhere (B1)', async () => {
    const service = createRedisService({ backend: await ground.process() })
    expect(await everything(service)).toEqual(results)
    expect(service.getConnectionStatus()).toBe(ground.hasRedis ? 'connected' : 'memory-fallback')
  })

  it('deletes by pattern what matches and nothing else (B1, D1)', async () => {
    const service = createRedisService({ backend: await ground.process() })
    const names = ['a:1', 'a:2', 'ab:1', 'b:1', 'a[1]']
    for (const name of names) await service.set(name, 'x')
    expect(await service.deletePattern('a:?')).toBe(2)
    expect(await service.deletePattern('a\\[*')).toBe(1)
    expect(await Promise.all(names.map((name) => service.exists(name)))).toEqual([false, false, true, true, false])
    expect(await service.deletePattern('none*')).toBe(0)
  })

  it('publishes and subscribes (B1)', async () => {
    const [one, other] = [createRedisService({ backend: await ground.process() }), createRedisService({ backend: await ground.process() })]
    const heard = vi.fn<(data: unknown) => void>()
    await one.subscribe('news', heard)
    await other.publish('news', { n: 1 })
    await vi.waitUntil(() => heard.mock.calls.length === 1, soon)
    expect(heard.mock.calls[0]?.[0]).toEqual({ n: 1 })
    one.unsubscribe('news', heard)
  })

  it('refuses what is no key, text, number or time, and the wrong kind of value', async () => {
    const service = createRedisService({ backend: await ground.process() })
    const bad = [() => service.get(''), () => service.set('k', 7 as never), () => service.set('k', 'v', 0), () => service.set('k', 'v', Number.NaN), () => service.incrBy('k', 0.5), () => service.setJSON('k', 1n), () => service.deletePattern('')]
    for (const call of bad) await expect(call()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    await service.set('text', 'x')
    await expect(service.lpush('text', 'y')).rejects.toMatchObject({ reply: 'wrongtype' })
    await expect(service.incr('text')).rejects.toMatchObject({ reply: 'wrongtype' })
  })
})

describeOnRedis('the Redis service and Redis', (ground) => {
  it('gives the same results in memory while Redis is away, and none of them to Redis when it is back (B1)', async () => {
    const service = createRedisService({ backend: await ground.process() })
    await service.set('before', 'x')
    await ground.redis.kill()
    expect(await service.get('before')).toBeNull()
    expect(service.getConnectionStatus()).toBe('memory-fallback')
    expect(await everything(service)).toEqual(results)
    await service.set('meanwhile', 'x')
    expect(await service.get('meanwhile')).toBe('x')
    const heard = vi.fn<() => void>()
    await service.subscribe('news', heard)
    expect(await service.publish('news', 1)).toBe(false)
    expect(heard).toHaveBeenCalledTimes(1)
    await ground.redis.start()
    await vi.waitUntil(() => service.getConnectionStatus() === 'connected', soon)
    expect(await service.get('meanwhile')).toBeNull()
    expect(await everything(service)).toEqual(results)
    await ground.redis.kill()
    expect([await service.get('meanwhile'), service.getConnectionStatus()]).toEqual([null, 'memory-fallback'])
    await ground.redis.start()
  })

  it('finds what it wrote when a single command was not answered in time', async () => {
    const service = createRedisService({ backend: await ground.process({ deadline: '100ms' }) })
    await service.set('k', 'old')
    ground.redis.pause()
    await service.set('k', 'new')
    expect(await service.get('k')).toBe('new')
    ground.redis.resume()
    await vi.waitUntil(() => service.getConnectionStatus() === 'connected', soon)
  })

  it('says so when Redis is full', async () => {
    const service = createRedisService({ backend: await ground.process() })
    await service.set('k', 'v')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    await expect(service.set('k', 'w')).rejects.toMatchObject({ reply: 'oom' })
    expect(await service.get('k')).toBe('v')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
  })

  it('goes to memory when Redis becomes a replica, and back when it is none any more', async () => {
    const service = createRedisService({ backend: await ground.process() })
    await service.set('k', 'v')
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    await service.set('k', 'w')
    expect([await service.get('k'), service.getConnectionStatus()]).toEqual(['w', 'memory-fallback'])
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(() => service.getConnectionStatus() === 'connected', soon)
    expect(await service.get('k')).toBe('v')
  })

  it('is there for the process by its environment, and so are its helpers (B1, D1)', async () => {
    vi.stubEnv('REDIS_URL', ground.redis.url)
    vi.stubEnv('REDIS_PREFIX', ground.prefix)
    vi.stubEnv('REDIS_COMMAND_TIMEOUT', '30000')
    await redisService.ready()
    expect(redisService.getConnectionStatus()).toBe('connected')
    await cacheSet('user:1', { name: 'Ada' }, 60)
    expect(await ground.redis.cli('GET', `${ground.prefix}user:1`)).toBe('{"name":"Ada"}')
    expect(tens(Number(await ground.redis.cli('TTL', `${ground.prefix}user:1`)))).toBe(60)
    expect(await cacheGet('user:1')).toEqual({ name: 'Ada' })
    expect(await cacheDelete('user:1')).toBe(true)
    expect(await cacheGet('user:1')).toBeNull()
    await cacheSet('user:2', 1, 60)
    expect(await cacheDeletePattern('user:*')).toBe(1)
  })
})

it('is in memory without a Redis in the environment, and can be used again after it was closed (B1)', async () => {
  vi.stubEnv('REDIS_URL', '')
  await cacheSet('user:1', 1, 60)
  expect(await cacheGet('user:1')).toBe(1)
  expect(redisService.getConnectionStatus()).toBe('memory-fallback')
  await closeDefaultBackend()
  expect(await cacheGet('user:1')).toBeNull()
  await cacheSet('user:1', 2, 60)
  await defaultBackend().close()
  expect(await cacheGet('user:1')).toBeNull()
  expect(redisService.getConnectionStatus()).toBe('memory-fallback')
})

it('does not look at the environment until it is used, also when it is awaited', async () => {
  vi.stubEnv('REDIS_URL', '')
  vi.stubEnv('REDIS_PORT', 'none')
  expect(await Promise.resolve(redisService)).toBe(redisService)
  expect(() => redisService.getConnectionStatus()).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ENV' }))
})
