import { afterEach, expect, it, vi } from 'vitest'
import { connectionsOf } from '../../src/backend/connections.js'
import { closeStorageManager, getStorageManager, StorageManager, type SessionConflict, type StorageManagerOptions } from '../../src/sessions/index.js'
import { SessionRecords } from '../../src/sessions/session-records.js'
import { startProxy, type FaultProxy } from '@tiercel/core/testing'
import { describeEverywhere, describeOnRedis, soon, type Ground } from '../ground/ground.js'

interface Jam extends Record<string, unknown> {
  tempo: number
  key?: string
}
type Manager = StorageManager<Jam, { readonly name: string }>
type Options = StorageManagerOptions<Jam, { readonly name: string }>

const opened: Manager[] = []
const proxies: FaultProxy[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((manager) => manager.close()))
  await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()))
})

/** Whoever came that way is alone from now on. */
function cutOff(proxy: FaultProxy): void {
  proxy.refuse()
  proxy.reset()
}

async function open(ground: Ground, options: Options = {}, of: Parameters<Ground['process']>[0] = {}): Promise<Manager> {
  const manager = new StorageManager<Jam, { readonly name: string }>({ backend: await ground.process(of), ...options })
  opened.push(manager)
  await manager.initialize()
  return manager
}

describeEverywhere('the storage of sessions with members', (ground) => {
  it('creates, changes and removes sessions, and adds and removes members (C1)', async () => {
    const [one, other] = [(await open(ground)).getStorage(), (await open(ground)).getStorage()]
    const created = await one.createSession('jam', { tempo: 120, key: 'C' })
    expect(created).toEqual({ id: 'jam', tempo: 120, key: 'C', members: {}, version: 1, createdAt: expect.any(Number), updatedAt: created.createdAt })
    expect(await other.getSession('jam')).toEqual(created)
    expect(await other.updateSession('jam', { tempo: 90, key: undefined })).toMatchObject({ tempo: 90, version: 2, createdAt: created.createdAt })
    expect(await one.getSession('jam')).not.toHaveProperty('key')
    expect(await one.addMember('jam', 'ada', { name: 'Ada' })).toMatchObject({ members: { ada: { name: 'Ada' } } })
    expect(await other.addMember('jam', 'bo', { name: 'Bo' })).toMatchObject({ members: { ada: { name: 'Ada' }, bo: { name: 'Bo' } } })
    expect(await one.removeMember('jam', 'ada')).toMatchObject({ tempo: 90, members: { bo: { name: 'Bo' } }, version: 5 })
    expect(await other.countSessions()).toBe(1)
    expect((await other.getSessions()).map(({ id }) => id)).toEqual(['jam'])
    expect(await other.deleteSession('jam')).toBe(true)
    expect(await other.deleteSession('jam')).toBe(false)
    expect(await one.getSession('jam')).toBeUndefined()
    expect(await one.countSessions()).toBe(0)
  })

  it('knows nothing of sessions that are not there', async () => {
    const storage = (await open(ground)).getStorage()
    expect(await storage.getSession('none')).toBeUndefined()
    expect(await storage.updateSession('none', { tempo: 1 })).toBeUndefined()
    expect(await storage.addMember('none', 'ada', { name: 'Ada' })).toBeUndefined()
    expect(await storage.removeMember('none', 'ada')).toBeUndefined()
    expect(await storage.countSessions()).toBe(0)
  })

  it('loses no member and no field when many are changed at once', async () => {
    const all = await Promise.all([open(ground), open(ground), open(ground)])
    await all[0].getStorage().createSession('jam', { tempo: 0 })
    await Promise.all(
      all.flatMap((manager, p) =>
        Array.from({ length: 20 }, (_, n) => [manager.getStorage().addMember('jam', `m${p}-${n}`, { name: 'x' }), manager.getStorage().updateSession('jam', { [`f${p}-${n}`]: n })]).flat(),
      ),
    )
    const session = await all[0].getStorage().getSession('jam')
    expect(Object.keys(session?.members ?? {})).toHaveLength(60)
    expect(Object.keys(session ?? {}).filter((name) => name.startsWith('f'))).toHaveLength(60)
    expect(session?.version).toBe(121)
  })

  it('replaces what is created again, and keeps ids and names apart', async () => {
    const storage = (await open(ground)).getStorage()
    await storage.createSession('jam', { tempo: 1, key: 'C' })
    await storage.addMember('jam', '__proto__', { name: 'odd' })
    expect(Object.keys((await storage.getSession('jam'))?.members ?? {})).toEqual(['__proto__'])
    expect(await storage.createSession('jam', { tempo: 2 })).toMatchObject({ tempo: 2, members: {}, version: 3 })
    expect(await storage.getSession('jam')).not.toHaveProperty('key')
    await expect(storage.createSession('', { tempo: 1 })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(storage.addMember('jam', '', { name: 'x' })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(storage.updateSession('jam', { members: 1 })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('lets sessions go when their time is over, and each change gives it anew', async () => {
    const [brief, storage] = [(await open(ground, { ttl: '400ms' })).getStorage(), (await open(ground, { ttl: '10m' })).getStorage()]
    await brief.createSession('a', { tempo: 1 })
    await vi.waitUntil(async () => (await storage.getSession('a')) === undefined, soon)
    await vi.waitUntil(async () => (await storage.countSessions()) === 0, soon)
    for (const id of ['b', 'c']) {
      await storage.createSession(id, { tempo: 1 })
      // As if nearly all of its time were over.
      expect(await ground.cli('PEXPIRE', `${ground.prefix}live:${id}`, 60_000)).toBe(1)
      await ground.cli('ZADD', `${ground.prefix}index:live`, Date.now() + 60_000, id)
    }
    await storage.updateSession('b', { tempo: 2 })
    const left = await Promise.all(['b', 'c'].map((id) => ground.cli('PTTL', `${ground.prefix}live:${id}`)))
    expect(left.map((ms) => Number(ms) > 60_000)).toEqual([true, false])
    // Those that expire first come first.
    expect((await storage.getSessions()).map(({ id, tempo }) => [id, tempo])).toEqual([['c', 1], ['b', 2]])
  })

  it('tells how it stands (C4)', async () => {
    const manager = await open(ground)
    await manager.getStorage().createSession('jam', { tempo: 1 })
    const status = {
      healthy: true,
      storageType: ground.hasRedis ? 'redis' : 'memory',
      initialized: true,
      fallbackReason: ground.hasRedis ? undefined : 'no Redis is configured',
      totalSessions: 1,
      redisStatus: { connected: ground.hasRedis, connectionAttempts: ground.hasRedis ? 1 : 0 },
    }
    expect(await manager.healthCheck()).toEqual(status)
    expect(manager.getStatus()).toEqual(status)
    await manager.close()
    expect(manager.getStatus()).toMatchObject({ healthy: false })
  })
})

describeOnRedis('the storage manager and Redis', (ground) => {
  /** A manager whose way to Redis can be broken. */
  const behindProxy = async (options: Options = {}): Promise<{ manager: Manager; proxy: FaultProxy }> => {
    const proxy = await startProxy(ground.redis.port)
    proxies.push(proxy)
    return { proxy, manager: await open(ground, options, { redis: ground.target(proxy.url) }) }
  }
  const isOn = (manager: Manager, type: 'redis' | 'memory') => vi.waitUntil(() => manager.getStatus().storageType === type, soon)

  it('is in memory when Redis is absent at the start, and in Redis with all sessions once it is there (C2)', async () => {
    const proxy = await startProxy(ground.redis.port)
    proxies.push(proxy)
    cutOff(proxy)
    const manager = await open(ground, {}, { redis: ground.target(proxy.url), deadline: '500ms' })
    expect(manager.getStatus()).toMatchObject({ healthy: true, storageType: 'memory', fallbackReason: 'Redis does not answer', redisStatus: { connected: false } })
    const storage = manager.getStorage()
    await storage.createSession('jam', { tempo: 120 })
    await storage.addMember('jam', 'ada', { name: 'Ada' })
    await proxy.heal()
    await isOn(manager, 'redis')
    expect(await (await open(ground)).getStorage().getSession('jam')).toMatchObject({ tempo: 120, members: { ada: { name: 'Ada' } } })
    // Who has not answered within the deadline is asked again.
    await vi.waitFor(async () => expect(await manager.healthCheck()).toMatchObject({ storageType: 'redis', fallbackReason: undefined, totalSessions: 1 }), soon)
  })

  it('goes on with the sessions it has seen when Redis is lost, and no call fails (C2)', async () => {
    const switches: string[] = []
    const { manager, proxy } = await behindProxy({ onSwitch: (to) => switches.push(to) })
    const storage = manager.getStorage()
    await storage.createSession('jam', { tempo: 120 })
    await storage.createSession('gone', { tempo: 1 })
    cutOff(proxy)
    expect(await storage.getSession('jam')).toMatchObject({ tempo: 120 })
    expect(manager.getStatus()).toMatchObject({ storageType: 'memory', redisStatus: { connected: false, connectionAttempts: 2 } })
    await Promise.all([storage.updateSession('jam', { tempo: 90 }), storage.addMember('jam', 'bo', { name: 'Bo' }), storage.createSession('new', { tempo: 1 })])
    expect(await storage.deleteSession('gone')).toBe(true)
    expect(await storage.countSessions()).toBe(2)
    await proxy.heal()
    await isOn(manager, 'redis')
    const other = (await open(ground)).getStorage()
    expect(await other.getSession('jam')).toMatchObject({ tempo: 90, members: { bo: { name: 'Bo' } } })
    expect(await other.getSession('new')).toMatchObject({ tempo: 1 })
    expect(await other.getSession('gone')).toBeUndefined()
    expect(await other.countSessions()).toBe(2)
    expect(switches).toEqual(['redis', 'memory', 'redis'])
  })

  it('never lets an older change replace a newer one, and tells of each such session (C2)', async () => {
    const conflicts: SessionConflict<Jam>[] = []
    const { manager, proxy } = await behindProxy({ onConflict: (conflict) => conflicts.push(conflict) })
    const [cut, other] = [manager.getStorage(), (await open(ground)).getStorage()]
    for (const id of ['theirs', 'ours', 'alone', 'removed there', 'removed here', 'removed here, changed there']) await cut.createSession(id, { tempo: 0 })
    cutOff(proxy)
    await cut.updateSession('theirs', { tempo: 1 })
    await other.updateSession('ours', { tempo: 3 })
    await cut.updateSession('alone', { tempo: 5 })
    await cut.updateSession('removed there', { tempo: 6 })
    await other.updateSession('removed here', { tempo: 7 })
    await cut.deleteSession('removed here, changed there')
    // Later by more than they can be wrong about the time.
    await new Promise((resolve) => setTimeout(resolve, 300))
    await other.updateSession('theirs', { tempo: 2 })
    await cut.updateSession('ours', { tempo: 4 })
    await other.deleteSession('removed there')
    await cut.deleteSession('removed here')
    await other.updateSession('removed here, changed there', { tempo: 8 })
    await proxy.heal()
    await isOn(manager, 'redis')
    const tempos = await Promise.all(['theirs', 'ours', 'alone', 'removed there', 'removed here', 'removed here, changed there'].map(async (id) => (await other.getSession(id))?.tempo))
    expect(tempos).toEqual([2, 4, 5, undefined, undefined, 8])
    const told = conflicts.map(({ id, kept, redis, memory }) => [id, kept, redis?.tempo, memory?.tempo])
    expect(told.toSorted()).toEqual([
      ['ours', 'memory', 3, 4],
      ['removed here, changed there', 'redis', 8, undefined],
      ['removed here', 'memory', 7, undefined],
      ['removed there', 'redis', undefined, 6],
      ['theirs', 'redis', 2, 1],
    ])
  })

  it('finds what others have written after such a restart, and does not switch for a connection that was made anew', async () => {
    const switches: string[] = []
    const backend = await ground.process()
    const manager: Manager = new StorageManager({ backend, onSwitch: (to) => switches.push(to) })
    opened.push(manager)
    await manager.initialize()
    await (await open(ground)).getStorage().createSession('theirs', { tempo: 1 })
    const another = async (make: () => Promise<unknown>) => {
      const before = await connectionsOf(backend.link)
      await make()
      await vi.waitUntil(async () => (await connectionsOf(backend.link)) !== before, soon)
    }
    await another(() => ground.redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'))
    expect(await manager.getStorage().getSession('theirs')).toMatchObject({ tempo: 1 })
    expect(switches).toEqual(['redis'])
    await another(() => ground.redis.restart('everything'))
    expect(await manager.getStorage().getSession('theirs')).toMatchObject({ tempo: 1 })
    expect(switches).toEqual(['redis', 'memory', 'redis'])
  })

  it('does not bring back what another process has removed later while neither had Redis', async () => {
    const [remover, changer] = [await behindProxy(), await behindProxy()]
    const [a, b] = [remover.manager.getStorage(), changer.manager.getStorage()]
    await a.createSession('jam', { tempo: 0 })
    await b.getSession('jam')
    for (const { proxy } of [remover, changer]) cutOff(proxy)
    await b.updateSession('jam', { tempo: 1 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await a.deleteSession('jam')
    await remover.proxy.heal()
    await isOn(remover.manager, 'redis')
    const tombstone = `{${ground.prefix}live:jam}:gone`
    expect(await ground.cli('EXISTS', tombstone)).toBe(1)
    await changer.proxy.heal()
    await isOn(changer.manager, 'redis')
    expect([await a.getSession('jam'), await b.getSession('jam')]).toEqual([undefined, undefined])
    await a.createSession('jam', { tempo: 2 })
    expect(await ground.cli('EXISTS', tombstone)).toBe(0)
    await a.deleteSession('jam')
    cutOff(remover.proxy)
    await a.createSession('jam', { tempo: 3 })
    await remover.proxy.heal()
    await isOn(remover.manager, 'redis')
    expect([await b.getSession('jam'), await ground.cli('EXISTS', tombstone)]).toEqual([expect.objectContaining({ tempo: 3 }), 0])
  })

  it('brings all sessions it has seen back when Redis was restarted empty', async () => {
    const manager = await open(ground)
    const storage = manager.getStorage()
    for (let n = 0; n < 5; n++) await storage.createSession(`s${n}`, { tempo: n })
    await storage.deleteSession('s4')
    await ground.redis.restart()
    await storage.updateSession('s0', { tempo: 100 })
    await isOn(manager, 'redis')
    const tempos = await Promise.all([0, 1, 2, 3, 4].map(async (n) => (await storage.getSession(`s${n}`))?.tempo))
    expect(tempos).toEqual([100, 1, 2, 3, undefined])
  })

  it('brings them back as well when Redis was restarted in a moment when nothing was asked of it', async () => {
    const backend = await ground.process()
    const manager: Manager = new StorageManager({ backend })
    opened.push(manager)
    await manager.initialize()
    const storage = manager.getStorage()
    for (let n = 0; n < 5; n++) await storage.createSession(`s${n}`, { tempo: n })
    const before = await connectionsOf(backend.link)
    await ground.redis.restart()
    await vi.waitUntil(async () => (await connectionsOf(backend.link)) !== before, soon)
    expect(manager.getStatus()).toMatchObject({ storageType: 'redis', redisStatus: { connected: true } })
    expect(await storage.updateSession('s0', { tempo: 100 })).toMatchObject({ tempo: 100 })
    await isOn(manager, 'redis')
    const other = (await open(ground)).getStorage()
    expect(await Promise.all([0, 1, 2, 3, 4].map(async (n) => (await other.getSession(`s${n}`))?.tempo))).toEqual([100, 1, 2, 3, 4])
  })

  it('has what Redis is paused in the middle of done once, and not late (C2)', async () => {
    const conflicts: unknown[] = []
    const manager = await open(ground, { onConflict: (conflict) => conflicts.push(conflict) }, { deadline: '150ms' })
    const storage = manager.getStorage()
    await storage.createSession('jam', { tempo: 0 })
    ground.redis.pause()
    // Redis finds this in its socket when it goes on, long after it was given up here and the next one was done.
    expect(await storage.updateSession('jam', { tempo: 1 })).toMatchObject({ tempo: 1 })
    expect(await storage.updateSession('jam', { tempo: 2 })).toMatchObject({ tempo: 2 })
    ground.redis.resume()
    await isOn(manager, 'redis')
    expect(await storage.getSession('jam')).toMatchObject({ tempo: 2 })
    expect(conflicts).toEqual([])
  })

  it('has nothing done in Redis that arrives after it was given up', async () => {
    const { keyspace } = await ground.process()
    const records = new SessionRecords(keyspace, { prefix: ground.prefix, kind: 'live', ttlMs: 60_000, rememberGoneMs: 60_000, companions: [] })
    const late = { stamp: 1, until: 1 }
    const changes = { set: ['.n', '1'], gone: [] }
    await expect(records.write('new', 'create', changes, late)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await records.write('old', 'create', changes)
    await expect(records.remove('old', late)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    expect([await records.read('new'), (await records.read('old'))?.fields.at(-1)]).toEqual([undefined, ['.n', '1']])
  })

  it('goes on in memory while Redis is full, or a replica, and tells it afterwards', async () => {
    const manager = await open(ground)
    const storage = manager.getStorage()
    await storage.createSession('jam', { tempo: 0 })
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await storage.updateSession('jam', { tempo: 1 })).toMatchObject({ tempo: 1 })
    expect(manager.getStatus().storageType).toBe('memory')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    await isOn(manager, 'redis')
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    expect(await storage.updateSession('jam', { tempo: 2 })).toMatchObject({ tempo: 2 })
    expect(manager.getStatus().storageType).toBe('memory')
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    await isOn(manager, 'redis')
    expect(await (await open(ground)).getStorage().getSession('jam')).toMatchObject({ tempo: 2 })
  })

  it('refuses calls after it was closed, in Redis or in memory', async () => {
    const { manager, proxy } = await behindProxy()
    const inMemory = await behindProxy()
    cutOff(inMemory.proxy)
    await inMemory.manager.getStorage().getSession('jam')
    for (const each of [manager, inMemory.manager]) {
      await each.close()
      await expect(each.getStorage().getSession('jam')).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
    }
    await proxy.heal()
  })

  it('has nothing to do with Redis any more when it was closed', async () => {
    const backend = await ground.process()
    const manager = new StorageManager({ backend })
    await manager.initialize()
    await manager.close()
    await ground.redis.kill()
    expect([await backend.pubSub.publish('news', 1), backend.isAway]).toEqual([false, true])
    expect(manager.getStatus().redisStatus).toEqual({ connected: false, connectionAttempts: 1 })
    await ground.redis.start()
  })

  it('has a call that is under way when it is closed end', async () => {
    const manager = await open(ground, {}, { deadline: '200ms' })
    await isOn(manager, 'redis')
    ground.redis.pause()
    const underWay = manager.getStorage().getSession('jam').catch((error: { code: string }) => error.code)
    const closing = manager.close()
    expect(await underWay).toBe('TIERCEL_CLOSED')
    ground.redis.resume()
    await closing
  })

  it('finds out by a health check that Redis was lost (C4)', async () => {
    const { manager, proxy } = await behindProxy()
    await manager.getStorage().createSession('jam', { tempo: 0 })
    cutOff(proxy)
    expect(await manager.healthCheck()).toMatchObject({ healthy: true, storageType: 'memory', totalSessions: 1, redisStatus: { connected: false } })
    expect(manager.getStatus().fallbackReason).toContain('Redis')
  })

  it('migrates thousands of sessions either way while they are changed, loses none, and reports those that others have changed too', async () => {
    const count = process.env.TIERCEL_PROOF === '1' ? 10_000 : 2000
    const figures: { moved: number; conflicts: number }[] = []
    const conflicts: string[] = []
    const { manager, proxy } = await behindProxy({ maxSessions: 20_000, onMigrated: (each) => figures.push(each), onConflict: ({ id }) => conflicts.push(id) })
    const storage = manager.getStorage()
    const other = (await open(ground)).getStorage()
    const ids = Array.from({ length: count }, (_, n) => `s${n}`)
    for (let at = 0; at < count; at += 500) await Promise.all(ids.slice(at, at + 500).map((id) => storage.createSession(id, { tempo: 0 })))
    const written = new Map(ids.map((id) => [id, 0]))
    const writer = { isWriting: true }
    const write = async () => {
      for (let n = 1; writer.isWriting; n++) {
        await new Promise((resolve) => setImmediate(resolve))
        const id = `s${(n * 7919) % count}`
        expect(await storage.updateSession(id, { tempo: n })).toMatchObject({ tempo: n })
        written.set(id, n)
      }
    }
    const writing = write()
    cutOff(proxy)
    await isOn(manager, 'memory')
    expect(await storage.countSessions()).toBe(count)
    const changedByOthers = ids.filter((_, n) => n % 20 === 0)
    await Promise.all(changedByOthers.map((id) => other.addMember(id, 'bo', { name: 'Bo' })))
    // Later by more than they can be wrong about the time.
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (let at = 0; at < count; at += 500) {
      await Promise.all(ids.slice(at, at + 500).map((id) => storage.addMember(id, 'ada', { name: 'Ada' })))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const began = performance.now()
    await proxy.heal()
    await vi.waitUntil(() => manager.getStatus().storageType === 'redis', { ...soon, timeout: 300_000 })
    const tookMs = performance.now() - began
    writer.isWriting = false
    await writing
    let wrong = 0
    for (let at = 0; at < count; at += 500) {
      const sessions = await Promise.all(ids.slice(at, at + 500).map((id) => other.getSession(id)))
      wrong += sessions.filter((session) => session?.tempo !== written.get(session?.id ?? '') || session?.members.ada === undefined).length
    }
    expect(wrong).toBe(0)
    expect(await other.countSessions()).toBe(count)
    expect(figures.at(-1)?.moved).toBeGreaterThanOrEqual(count)
    expect(conflicts.toSorted()).toEqual(changedByOthers.toSorted())
    expect(figures.at(-1)?.conflicts).toBe(changedByOthers.length)
    process.stdout.write(`migration: ${count} sessions and back, ${wrong} lost, ${conflicts.length} of ${changedByOthers.length} conflicts reported; ${tookMs.toFixed(0)} ms from the connection to the switch\n`)
  }, 600_000)

  it('lets two processes migrate at once: what is newest of each session stays', async () => {
    const conflicts: SessionConflict<Jam>[][] = [[], []]
    const both = [await behindProxy({ onConflict: (conflict) => conflicts[0]?.push(conflict) }), await behindProxy({ onConflict: (conflict) => conflicts[1]?.push(conflict) })] as const
    const [a, b] = both.map(({ manager }) => manager.getStorage()) as [ReturnType<Manager['getStorage']>, ReturnType<Manager['getStorage']>]
    const ids = Array.from({ length: 60 }, (_, n) => `s${n}`)
    for (const id of ids) {
      await a.createSession(id, { tempo: -1 })
      await b.getSession(id)
    }
    for (const { proxy } of both) cutOff(proxy)
    // Each third is changed by the one, by the other, and by both: then the second is the newer, by more than they can be wrong about the time.
    for (const [n, id] of ids.entries()) if (n % 3 !== 1) await a.updateSession(id, { tempo: 10 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const [n, id] of ids.entries()) if (n % 3 !== 0) await b.updateSession(id, { tempo: 20 })
    await Promise.all(both.map(({ proxy }) => proxy.heal()))
    await Promise.all(both.map(({ manager }) => isOn(manager, 'redis')))
    const tempos = await Promise.all(ids.map(async (id) => (await a.getSession(id))?.tempo))
    expect(tempos).toEqual(ids.map((_, n) => (n % 3 === 0 ? 10 : 20)))
    expect(conflicts.flat().map(({ id }) => id).toSorted()).toEqual(ids.filter((_, n) => n % 3 === 2).toSorted())
  })

  it('keeps the sessions it has seen last, and all that Redis was not told', async () => {
    const { manager, proxy } = await behindProxy({ maxSessions: 5 })
    const storage = manager.getStorage()
    for (let n = 0; n < 10; n++) await storage.createSession(`s${n}`, { tempo: n })
    cutOff(proxy)
    expect(await storage.getSession('s9')).toMatchObject({ tempo: 9 })
    expect(await storage.getSession('s0')).toBeUndefined()
    for (let n = 10; n < 20; n++) await storage.createSession(`s${n}`, { tempo: n })
    await proxy.heal()
    await isOn(manager, 'redis')
    expect(await storage.countSessions()).toBe(20)
  })
})

it('there is one storage manager for the process until it is closed, and then another (C2)', async () => {
  const first = getStorageManager({ redis: false })
  await first.initialize()
  await first.getStorage().createSession('jam', { tempo: 1 })
  expect(getStorageManager()).toBe(first)
  await first.close()
  const second = getStorageManager({ redis: false })
  expect(await second.getStorage().getSession('jam')).toBeUndefined()
  await closeStorageManager()
  expect(getStorageManager({ redis: false })).not.toBe(second)
  await closeStorageManager()
})
