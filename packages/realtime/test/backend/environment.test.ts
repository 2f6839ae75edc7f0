import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startRedis } from '@tiercel/core/testing'
import {
  cacheDelete,
  cacheDeletePattern,
  cacheGet,
  cacheSet,
  closeDefaultBackend,
  closeStorageManager,
  createBackend,
  createStorage,
  createSubscriber,
  defaultBackend,
  getOnlineUsersInRoom,
  getPubSub,
  getStorageManager,
  isAsyncStorage,
  isUserOnline,
  redisService,
  redisSessionStore,
  removePresence,
  sessionCache,
  setPresence,
  StorageManager,
  withLock,
} from '../../src/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'

afterEach(async () => {
  await closeStorageManager()
  await closeDefaultBackend()
  vi.unstubAllEnvs()
})

describeEverywhere('what the process uses by its environment', (ground) => {
  beforeEach(() => {
    vi.stubEnv('REDIS_ENABLED', ground.hasRedis ? '' : 'false')
    vi.stubEnv('REDIS_URL', 'redis' in ground ? (ground.redis as { url: string }).url : 'redis://127.0.0.1:1')
    vi.stubEnv('REDIS_PREFIX', ground.prefix)
    vi.stubEnv('REDIS_COMMAND_TIMEOUT', '30000')
  })

  it('is Redis when there is one, and else memory, for all pieces the same one (A1, C3)', async () => {
    const storage = createStorage()
    expect(isAsyncStorage(storage)).toBe(ground.hasRedis)
    await storage.setSession('s', { a: 1 })
    expect(await redisService.getJSON('sessions:s')).toEqual({ a: 1 })
    expect(storage.backend).toBe(defaultBackend())
    expect(redisService.getConnectionStatus()).toBe(ground.hasRedis ? 'connected' : 'memory-fallback')
  })

  it('gives locks when it is Redis, and refuses them when it is not', async () => {
    const locked = withLock('report', ({ isHeld }) => isHeld).catch((error: unknown) => (error as { code?: string }).code)
    expect(await locked).toBe(ground.hasRedis ? true : 'TIERCEL_INVALID_OPTION')
  })

  it('gives what they need to each: prefix, time to live, name (C3)', async () => {
    vi.stubEnv('REDIS_PREFIX', '')
    vi.stubEnv('REDIS_KEY_PREFIX', `${ground.prefix}long:`)
    vi.stubEnv('REDIS_TTL', '100')
    vi.stubEnv('SERVER_ID', 'web-7')
    const origins: unknown[] = []
    await getPubSub().subscribe('news', (_data, _channel, { serverId }) => origins.push(serverId))
    await getPubSub().publish('news', 1)
    await vi.waitUntil(() => origins.length === 1, soon)
    expect(origins).toEqual(['web-7'])
    const manager = getStorageManager()
    await manager.initialize()
    await manager.getStorage().createSession('jam', {})
    const { keyspace } = defaultBackend()
    expect(await keyspace.send(['TTL', `${ground.prefix}long:live:jam`])).toBeGreaterThan(50)
    expect(await keyspace.send(['TTL', `${ground.prefix}long:live:jam`])).toBeLessThanOrEqual(100)
  })

  it.each([
    ['REDIS_ENABLED', 'maybe'],
    ['REDIS_URL', 'secret://host'],
    ['REDIS_HOST', 'no host'],
    ['REDIS_PORT', '70000'],
    ['REDIS_DB', '-1'],
    ['REDIS_KEY_PREFIX', 'no spaces'],
    ['REDIS_TTL', '-60'],
    ['REDIS_MAX_RETRIES', 'many'],
    ['REDIS_RETRY_DELAY_ON_FAILURE', '1s'],
    ['REDIS_CONNECT_TIMEOUT', '-7'],
    ['REDIS_COMMAND_TIMEOUT', 'x'],
    ['SERVER_ID', 'no spaces'],
  ])('refuses a %s that cannot be, by its name, at the start (C3)', (name, value) => {
    vi.stubEnv(name, value)
    for (const start of [createBackend, defaultBackend, () => createStorage({ prefix: 'own:' }), () => new StorageManager()]) {
      expect(start).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ENV', message: expect.stringContaining(name) }))
      expect(start).not.toThrow(value)
    }
  })

  it('has the helpers of a cache (D1)', async () => {
    await cacheSet('user:1', { name: 'Ada' }, 60)
    expect(await cacheGet('user:1')).toEqual({ name: 'Ada' })
    expect([await cacheDelete('user:1'), await cacheDelete('user:1')]).toEqual([true, false])
    expect(await cacheGet('user:1')).toBeNull()
    await cacheSet('user:2', 1, 60)
    expect(await cacheDeletePattern('user:*')).toBe(1)
  })

  it('has sessions with members, in one storage whoever asks (C1, C2)', async () => {
    const manager = getStorageManager()
    await manager.initialize()
    await manager.getStorage().createSession('jam', { tempo: 120 })
    await getStorageManager().getStorage().addMember('jam', 'ada', { name: 'Ada' })
    expect(await manager.getStorage().getSession('jam')).toMatchObject({ tempo: 120, members: { ada: { name: 'Ada' } } })
    expect(manager.getStatus()).toMatchObject({ storageType: ground.hasRedis ? 'redis' : 'memory', healthy: true })
  })

  it('has sessions of a chat, and by socket (B4, D3)', async () => {
    await redisSessionStore.createSession('c', { subject: 'A' })
    expect(await redisSessionStore.addMessageToSession('c', 'Hello')).toBe(true)
    expect(await redisSessionStore.getSessionMessages('c')).toEqual(['Hello'])
    await sessionCache.setSession('socket', { userId: 'ada' }, 60)
    expect(await sessionCache.getSession('socket')).toEqual({ userId: 'ada' })
    expect(await sessionCache.deleteUserSessions('ada')).toBe(1)
  })

  it('has presence as functions (D5)', async () => {
    expect(await setPresence('ada', 'one', 'lobby')).toBe(true)
    await setPresence('ada', 'two', 'lobby')
    expect(await getOnlineUsersInRoom('lobby')).toEqual(['ada'])
    await removePresence('ada', 'one')
    expect(await isUserOnline('ada')).toBe(true)
    await removePresence('ada', 'two')
    expect([await isUserOnline('ada'), await getOnlineUsersInRoom('lobby')]).toEqual([false, []])
  })

  it('has channels, and subscribers of which all ends together (D6)', async () => {
    await getPubSub().initialize()
    const [one, other] = [createSubscriber(), createSubscriber()]
    const heard: unknown[] = []
    for (const subscriber of [one, other]) await subscriber.subscribe('news', (data) => heard.push(data))
    await getPubSub().publish('news', 1)
    await vi.waitUntil(() => heard.length === 2, soon)
    one.close()
    await getPubSub().publish('news', 2)
    await vi.waitUntil(() => heard.includes(2), soon)
    expect(heard).toEqual([1, 1, 2])
  })
})

describeOnRedis('what the process uses by its environment', (ground) => {
  it('is a server by its parts (C3)', async () => {
    const redis = await startRedis({ password: 'of the default user' })
    const parts = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), REDIS_PASSWORD: 'of the default user', REDIS_DB: '3', REDIS_PREFIX: ground.prefix, REDIS_COMMAND_TIMEOUT: '30000' }
    try {
      for (const [name, value] of Object.entries(parts)) vi.stubEnv(name, value)
      await redisService.set('a', '1')
      expect(redisService.getConnectionStatus()).toBe('connected')
      expect(await redis.cli('INFO', 'keyspace')).toContain('db3:keys=1')
      expect(defaultBackend().link?.deadlineMs).toBe(30_000)
    } finally {
      await redis.stop()
    }
  })
})
