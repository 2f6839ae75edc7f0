import { startProxy, type FaultProxy } from '@tiercel/core/testing'
import { afterEach, expect, it, vi } from 'vitest'
import { PresenceService } from '../../src/presence/index.js'
import { createQueue } from '../../src/queues/index.js'
import { createChatSessionStore, createSessionCache, StorageManager } from '../../src/sessions/index.js'
import { createStorage } from '../../src/storage/index.js'
import { describeOnRedis, soon } from '../ground/ground.js'
import { useOwnProcesses, type Own } from '../ground/own-process.js'
import { inOrder } from './pieces/numbers.js'

const proxies: FaultProxy[] = []

afterEach(() => Promise.all(proxies.splice(0).map((proxy) => proxy.stop())))

/** So often it does what it does, before it is killed in the middle of it. */
const TIMES = 30

async function lines(own: Own, count: number): Promise<number[]> {
  const said: number[] = []
  while (said.length < count) said.push(Number(await own.line()))
  return said
}

/** What it says until it ends by a signal that finds it in the middle of something. */
async function killedInTheMiddle(own: Own): Promise<number[]> {
  const said = await lines(own, TIMES)
  own.signal('SIGKILL')
  for (let line = await own.line().catch(() => undefined); line !== undefined; line = await own.line().catch(() => undefined)) said.push(Number(line))
  expect(await own.ended).toBe('SIGKILL')
  return said
}

describeOnRedis('a process that is killed in the middle', (ground) => {
  const start = useOwnProcesses()
  const env = () => ({ URL: ground.redis.url, PREFIX: ground.prefix })
  const options = `{ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' }`

  it('of events and sessions has left all that was confirmed, in order and once', async () => {
    const storage = createStorage<{ session: Record<string, number>; event: number; chain: unknown; command: unknown; input: unknown }>({ backend: await ground.process() })
    await storage.setSession('s', {})
    const said = await killedInTheMiddle(start(`const storage = realtime.createStorage({ ...${options}, maxEvents: 1_000_000 })
      for (let n = 0; ; n++) {
        await Promise.all([storage.addEvent('s', n), storage.updateSession('s', { [n]: n })])
        say(String(n))
      }`, env()))
    const events = await storage.getEvents('s')
    expect(events).toEqual(inOrder(events))
    expect(events).toEqual(expect.arrayContaining(said))
    expect(Object.values((await storage.getSession('s')) ?? {})).toEqual(expect.arrayContaining(said))
  })

  it('of messages of a chat has left all that were confirmed, in order and once', async () => {
    const chat = createChatSessionStore<object, number>({ backend: await ground.process() })
    await chat.createSession('s', {})
    const said = await killedInTheMiddle(start(`const chat = realtime.createChatSessionStore({ ...${options}, maxMessages: 1_000_000 })
      for (let n = 0; ; n++) if (await chat.addMessageToSession('s', n)) say(String(n))`, env()))
    const messages = await chat.getSessionMessages('s', 1_000_000)
    expect(messages).toEqual(inOrder(messages))
    expect(messages).toEqual(expect.arrayContaining(said))
  })

  it('of putting in and taking out has its items given to others, and none that it had finished', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), claim: '50ms', maxItems: 100_000 })
    const finished = await killedInTheMiddle(start(`const queue = realtime.createQueue('jobs', { ...${options}, maxItems: 100_000 })
      for (let n = 0; ; n += 2) {
        await queue.add(n)
        await queue.add(n + 1)
        const [item] = await queue.claim()
        await queue.acknowledge(item.id)
        say(String(item.value))
      }`, env()))
    const given: number[] = []
    await vi.waitUntil(async () => {
      const items = await queue.claim(1000)
      given.push(...items.map(({ value }) => value))
      await queue.acknowledge(...items.map(({ id }) => id))
      return (await queue.list()).length === 0
    }, soon)
    const last = Math.max(...given)
    expect(finished.filter((n) => given.includes(n))).toEqual([])
    // The last that it took may have been finished without a word.
    const missing = Array.from({ length: last + 1 }, (_, n) => n).filter((n) => !given.includes(n) && !finished.includes(n))
    expect(missing.length).toBeLessThanOrEqual(1)
  })

  it('of sessions of sockets has left what can be removed as a whole', async () => {
    const cache = createSessionCache({ backend: await ground.process() })
    const said = await killedInTheMiddle(start(`const cache = realtime.createSessionCache(${options})
      for (let n = 0; ; n++) {
        await cache.setSession('s' + n, { userId: 'ada', n }, 600)
        if (n % 2 === 1) await cache.deleteSession('s' + n)
        say(String(n))
      }`, env()))
    const there = await Promise.all(said.map((n) => cache.getSession(`s${n}`)))
    expect(there.map((each) => each?.n)).toEqual(said.map((n) => (n % 2 === 0 ? n : undefined)))
    await cache.deleteUserSessions('ada')
    expect(await ground.cli('KEYS', `${ground.prefix}*`)).toEqual([])
  })

  it('of coming and going is nowhere any more, and nothing is left of it', async () => {
    const presence = new PresenceService({ backend: await ground.process(), ttl: '300ms' })
    await killedInTheMiddle(start(`const presence = new realtime.PresenceService({ ...${options}, ttl: '300ms' })
      for (let n = 0; ; n++) {
        const [user, room] = ['user-' + (n % 5), 'room-' + (n % 3)]
        await presence.setOnline(user, 'socket-' + (n % 7), room)
        if (n % 2 === 0) await presence.setOffline(user, 'socket-' + (n % 7))
        say(String(n))
      }`, env()))
    await vi.waitUntil(async () => (await Promise.all([undefined, 'room-0', 'room-1', 'room-2'].map((room) => presence.getOnlineUsers(room)))).flat().length === 0, soon)
    await presence.close()
    await vi.waitFor(async () => expect(await ground.cli('KEYS', `${ground.prefix}*`)).toEqual([]), soon)
  })
})

const migrating = `const manager = new realtime.StorageManager({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s', onConflict: ({ id }) => onConflict(id) })
  const conflicts = []
  let onConflict = (id) => conflicts.push(id)
  await manager.initialize()
  const storage = manager.getStorage()
  const is = async (type) => {
    while (manager.getStatus().storageType !== type) {
      await manager.healthCheck()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  await is('redis')`

describeOnRedis('processes that migrate', (ground) => {
  const start = useOwnProcesses()
  const count = 300
  const ids = Array.from({ length: count }, (_, n) => `s${n}`)

  /** A process of its own, and its way to Redis. */
  const own = async (script: string): Promise<{ process: Own; proxy: FaultProxy }> => {
    const proxy = await startProxy(ground.redis)
    proxies.push(proxy)
    return { proxy, process: start(`${migrating}\n${script}`, { URL: proxy.url, PREFIX: ground.prefix }) }
  }
  const cutOff = (proxy: FaultProxy) => {
    proxy.refuse()
    proxy.reset()
  }
  const storageOf = async (): Promise<ReturnType<StorageManager['getStorage']>> => {
    const manager = new StorageManager({ backend: await ground.process() })
    await manager.initialize()
    return manager.getStorage()
  }

  it('at once keep the newest of each session, and report those that both had changed', async () => {
    const storage = await storageOf()
    for (const id of ids) await storage.createSession(id, { by: 'nobody' })
    const both = await Promise.all(
      ['first', 'second'].map((name, which) =>
        own(
          `for (let n = 0; n < ${count}; n++) await storage.getSession('s' + n)
          say('there')
          await told()
          await is('memory')
          // Each third is changed by the one, by the other, and by both.
          for (let n = 0; n < ${count}; n++) if (n % 3 !== ${1 - which}) await storage.updateSession('s' + n, { by: '${name}', ['field' + n]: n })
          say('changed')
          await told()
          await is('redis')
          say(conflicts.join())
          await manager.close()`,
        ),
      ),
    )
    for (const { process } of both) expect(await process.line()).toBe('there')
    for (const { proxy } of both) cutOff(proxy)
    for (const { process } of both) {
      process.tell('go')
      expect(await process.line()).toBe('changed')
      // The second is the newer by more than they can be wrong about the time.
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    await Promise.all(both.map(({ proxy }) => proxy.heal()))
    for (const { process } of both) process.tell('go')
    const conflicts = (await Promise.all(both.map(({ process }) => process.line()))).flatMap((line) => line.split(',').filter(Boolean))
    for (const { process } of both) expect(await process.ended).toBe(0)
    const found = await Promise.all(ids.map((id) => storage.getSession(id)))
    expect(found.map((session) => session?.by)).toEqual(ids.map((_, n) => (n % 3 === 0 ? 'first' : 'second')))
    expect(found.every((session, n) => session?.[`field${n}`] === n)).toBe(true)
    expect(conflicts.toSorted()).toEqual(ids.filter((_, n) => n % 3 === 2).toSorted())
  })

  it('and are killed in the middle of it leave each session as it was or as it became, and nothing in between', async () => {
    const storage = await storageOf()
    for (const id of ids) await storage.createSession(id, { by: 'nobody', old: 1 })
    const { process, proxy } = await own(
      `for (let n = 0; n < ${count}; n++) await storage.getSession('s' + n)
      say('there')
      await told()
      await is('memory')
      for (let n = 0; n < ${count}; n++) await storage.updateSession('s' + n, { by: 'killed', old: undefined, new: 1 })
      onConflict = () => process.kill(process.pid, 'SIGKILL')
      say('changed')
      await told()`,
    )
    expect(await process.line()).toBe('there')
    cutOff(proxy)
    process.tell('go')
    expect(await process.line()).toBe('changed')
    // It finds this one in the middle of those that it tells Redis of, and is killed there.
    await storage.updateSession('s20', { by: 'another' })
    await proxy.heal()
    proxy.throttle(50_000, 'up')
    expect(await process.ended).toBe('SIGKILL')
    const found = await Promise.all(ids.filter((id) => id !== 's20').map((id) => storage.getSession(id)))
    const shapes = found.map((session) => (session?.by === 'killed' ? session.new === 1 && !('old' in session) : session?.by === 'nobody' && session.old === 1 && !('new' in session)))
    expect(shapes).toEqual(found.map(() => true))
    expect(new Set(found.map((session) => session?.by))).toEqual(new Set(['nobody', 'killed']))
    expect(await storage.countSessions()).toBe(count)
  })
})
