import { startProxy } from '@tiercel/core/testing'
import { expect, it, vi } from 'vitest'
import { createEventSockets, createStorage, isAsyncStorage, type StoredEvent } from '../../src/storage/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

describeEverywhere('storage', (ground) => {
  const open = async () => createStorage({ backend: await ground.process() })

  it('may be awaited, and is narrowed to the one in Redis (A1, A2)', async () => {
    const storage = await open()
    await storage.setSession('s', { title: 'First' })
    expect(await storage.getSession('s')).toEqual({ title: 'First' })
    expect(isAsyncStorage(storage)).toBe(ground.hasRedis)
    expect(storage.getSession('s') instanceof Promise).toBe(ground.hasRedis)
  })

  it('holds sessions, which can be replaced, changed and found (A3)', async () => {
    const [one, other] = [await open(), await open()]
    expect(await one.getSession('s')).toBeUndefined()
    expect(await one.updateSession('s', { a: 1 })).toBeUndefined()
    await one.setSession('s', { a: 1, b: 2 })
    await one.setSession('t', {})
    expect(await other.updateSession('s', { b: 3 })).toEqual({ a: 1, b: 3 })
    expect(await one.getSession('s')).toEqual({ a: 1, b: 3 })
    const sessions = await other.getSessions()
    expect(sessions.toSorted((a, b) => (a.sessionId < b.sessionId ? -1 : 1))).toEqual([
      { sessionId: 's', session: { a: 1, b: 3 } },
      { sessionId: 't', session: {} },
    ])
  })

  it('loses no field when several change a session at once', async () => {
    const all = [await open(), await open(), await open()]
    await all[0]?.setSession('s', {})
    await Promise.all(all.flatMap((storage, i) => Array.from({ length: 8 }, async (_, n) => await storage.updateSession('s', { [`f${i}-${n}`]: true }))))
    expect(Object.keys((await all[0]?.getSession('s')) ?? {})).toHaveLength(24)
  })

  it('keeps the last events of a session in order, and those of others apart (A3)', async () => {
    const storage = createStorage({ backend: await ground.process(), maxEvents: 3 })
    for (let n = 1; n <= 5; n++) await storage.addEvent('s', { n })
    await storage.addEvent('t', { n: 0 })
    expect(await storage.getEvents('s')).toEqual([{ n: 3 }, { n: 4 }, { n: 5 }])
    expect(await storage.getEvents('s', 1)).toEqual([{ n: 5 }])
    expect(await storage.getEvents('none')).toEqual([])
  })

  it('keeps chains by session and by id (A3)', async () => {
    const [one, other] = [await open(), await open()]
    await one.addChain('s', { id: 'c1', steps: 1 })
    await one.addChain('s', { steps: 1 }, 'c2')
    await other.setChain('c1', { id: 'c1', steps: 2 })
    expect(await one.getChains('s')).toEqual([{ id: 'c1', steps: 2 }, { steps: 1 }])
    await one.addChain('s', { id: 'c1', steps: 3 })
    expect(await other.getChains('s')).toEqual([{ steps: 1 }, { id: 'c1', steps: 3 }])
    expect(await other.getChain('c2')).toEqual({ steps: 1 })
    expect(await other.getChain('none')).toBeUndefined()
    await expect((async () => one.addChain('s', {}))()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('queues commands and input of a session (A3)', async () => {
    const [one, other] = [await open(), await open()]
    for (const n of [1, 2, 3]) await one.addCommand('s', { n })
    await one.addInput('s', 'yes', { idempotencyKey: 'answer' })
    expect(await other.addInput('s', 'yes', { idempotencyKey: 'answer' })).toBeUndefined()
    expect(await other.getCommands('s')).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    const [first] = await other.claimCommands('s')
    expect(first?.value).toEqual({ n: 1 })
    expect(await one.takeCommands('s')).toEqual([{ n: 2 }, { n: 3 }])
    expect(await other.acknowledgeCommands('s', [first?.id ?? ''])).toBe(1)
    expect(await one.getCommands('s')).toEqual([])
    expect(await one.getInput('s')).toEqual(['yes'])
    const [input] = await one.claimInput('s')
    expect(await one.acknowledgeInput('s', [input?.id ?? ''])).toBe(1)
    expect(await other.takeInput('s')).toEqual([])
  })

  it('is readable with redis-cli, under the names that are known (A4)', async () => {
    const storage = await open()
    await storage.setSession('s', { title: 'ü' })
    await storage.addEvent('s', { n: 1 })
    await storage.addChain('s', { id: 'c' })
    await storage.addCommand('s', { run: 'it' })
    await storage.addInput('s', 'yes')
    const key = (name: string) => ground.prefix + name
    expect(await ground.cli('GET', key('sessions:s'))).toBe('{"title":"ü"}')
    expect(await ground.cli('LRANGE', key('events:s'), 0, -1)).toEqual(['{"n":1}'])
    expect(await ground.cli('LRANGE', key('chains:s'), 0, -1)).toEqual(['c'])
    expect(await ground.cli('GET', key('chain:c'))).toBe('{"id":"c"}')
    expect(await ground.cli('XRANGE', key('commands:s'), '-', '+')).toEqual([[expect.any(String), ['item', '{"run":"it"}']]])
    expect(await ground.cli('XRANGE', key('input:s'), '-', '+')).toEqual([[expect.any(String), ['item', '"yes"']]])
  })

  it('gives every key its time: a day, or five minutes for what waits, unless told otherwise (A3)', async () => {
    const seconds = async (options: object) => {
      const storage = createStorage({ backend: await ground.process(), ...options })
      await storage.deleteSession('s')
      await storage.setSession('s', {})
      await storage.addEvent('s', 1)
      await storage.addChain('s', { id: 'c' })
      await storage.addCommand('s', 1, { idempotencyKey: 'k' })
      await storage.addInput('s', 1)
      const names = ['sessions:s', 'events:s', 'chains:s', 'chain:c', 'commands:s', 'input:s'].map((name) => ground.prefix + name)
      const left = await Promise.all([...names, `{${ground.prefix}commands:s}:seen`].map((name) => ground.cli('TTL', name)))
      // To the full minute: some of it is over when it is looked at.
      return left.map((ttl) => Math.ceil(Number(ttl) / 60) * 60)
    }
    expect(await seconds({})).toEqual([86_400, 86_400, 86_400, 86_400, 300, 300, 300])
    const ttl = { sessions: '1h', events: '2h', chains: '3h', chain: '4h', commands: '1m', input: '2m' }
    expect(await seconds({ ttl })).toEqual([3600, 7200, 10_800, 14_400, 60, 120, 60])
  })

  it('tells every process of an event: who, what, when (A5, A6)', async () => {
    const [one, other] = [await open(), await open()]
    const heard: StoredEvent[][] = [[], []]
    await one.onEvent((event) => heard[0]?.push(event))
    const end = await other.onEvent((event) => heard[1]?.push(event))
    await one.addEvent('s', { n: 1 })
    await vi.waitUntil(() => heard.every(({ length }) => length === 1), soon)
    expect(heard).toEqual(Array.from({ length: 2 }, () => [{ sessionId: 's', event: { n: 1 }, timestamp: expect.any(Number) }]))
    end()
    await other.addEvent('s', { n: 2 })
    await vi.waitUntil(() => heard[0]?.length === 2, soon)
    expect(heard[1]).toHaveLength(1)
  })

  it('sends events to the WebSockets that follow the session, whichever process they came to (A5, A6)', async () => {
    const [one, other] = [await open(), await open()]
    const sockets = await createEventSockets(other)
    const sent: Record<string, unknown[]> = { a: [], b: [], slow: [], closed: [] }
    const named = (name: string, more: object = {}) => ({ send: (text: string) => void sent[name]?.push(JSON.parse(text)), close: vi.fn<() => void>(), ...more })
    const [a, b, slow, closed] = [named('a'), named('b'), named('slow', { bufferedAmount: 10_000_000 }), named('closed', { readyState: 3 })]
    sockets.add('s', a)
    sockets.add('s', slow)
    sockets.add('s', closed)
    sockets.add('t', b)
    await one.addEvent('s', { n: 1 })
    await vi.waitUntil(() => sent.a?.length === 1, soon)
    expect(sent).toEqual({ a: [{ type: 'event', sessionId: 's', payload: { n: 1 } }], b: [], slow: [], closed: [] })
    expect(slow.close).toHaveBeenCalledTimes(1)
    sockets.remove(a)
    await one.addEvent('s', { n: 2 })
    await one.addEvent('t', { n: 3 })
    await vi.waitUntil(() => sent.b?.length === 1, soon)
    expect(sent.a).toHaveLength(1)
    expect(slow.close).toHaveBeenCalledTimes(1)
    sockets.close()
  })

  it('removes a session with all that belongs to it', async () => {
    const storage = await open()
    await storage.setSession('s', {})
    await storage.addEvent('s', 1)
    await storage.addChain('s', { id: 'c' })
    await storage.addCommand('s', 1, { idempotencyKey: 'k' })
    await storage.addInput('s', 1, { idempotencyKey: 'k' })
    expect(await storage.deleteSession('s')).toBe(true)
    expect(await storage.deleteSession('s')).toBe(false)
    const names = ['index:sessions', 'sessions:s', 'events:s', 'chains:s', 'chain:c', 'commands:s', 'input:s'].map((name) => ground.prefix + name)
    expect(await ground.cli('EXISTS', ...names, `{${ground.prefix}commands:s}:seen`, `{${ground.prefix}input:s}:seen`)).toBe(0)
  })

  it('lets sessions go when their time is over, without a trace', async () => {
    const storage = createStorage({ backend: await ground.process(), ttl: { sessions: '100ms' } })
    await storage.setSession('s', {})
    await vi.waitUntil(async () => (await storage.getSession('s')) === undefined, soon)
    await vi.waitUntil(async () => (await ground.cli('EXISTS', `${ground.prefix}index:sessions`)) === 0, soon)
    expect(await storage.getSessions()).toEqual([])
  })

  it('keeps ids apart whatever is in them, and refuses those that are none', async () => {
    const storage = await open()
    const ids = ['a', 'a}', '{a}', 'a%7D', 'a:b', '*', 'a\nb', 'ü', '__proto__']
    for (const id of ids) await storage.setSession(id, { id })
    for (const id of ids) expect(await storage.getSession(id)).toEqual({ id })
    expect((await storage.getSessions()).map(({ sessionId }) => sessionId).toSorted()).toEqual(ids.toSorted())
    for (const id of ['', undefined, 7, 'x'.repeat(2000), '\ud800']) {
      await expect((async () => await storage.getSession(id as string))()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    }
    await expect((async () => await storage.setSession('s', { big: 1n }))()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })
})

it('is in memory without Redis, and in Redis with it (A1)', async () => {
  const [memory, redis] = [createStorage({ redis: false }), createStorage({ redis: 'redis://127.0.0.1:1', deadline: '50ms' })]
  expect([isAsyncStorage(memory), isAsyncStorage(redis)]).toEqual([false, true])
  await expect(redis.getSession('s')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
  await Promise.all([memory.close(), redis.close()])
})

describeOnRedis('storage and Redis', (ground) => {
  const start = useOwnProcesses()

  it('is heard of by those who only know Redis (A5)', async () => {
    const storage = createStorage({ backend: await ground.process() })
    if (!isAsyncStorage(storage)) throw new Error('not in Redis')
    const heard: unknown[] = []
    const outside = (await ground.process()).link
    await outside?.subscribe(`${ground.prefix}events`, { onMessage: (text) => heard.push(JSON.parse(String(text))), onSubscribed: () => {}, onLost: () => {} })
    await storage.addEvent('s', { n: 1 })
    await vi.waitUntil(() => heard.length === 1, soon)
    expect(heard).toEqual([expect.objectContaining({ sessionId: 's', event: { n: 1 }, timestamp: expect.any(Number) })])
    const own: unknown[] = []
    await storage.subscribe('events', (data) => own.push(data))
    await storage.publish('events', { sessionId: 't' })
    await vi.waitUntil(() => own.length === 1, soon)
    expect(own).toEqual([{ sessionId: 't' }])
  })

  it('loses none of the events that 50 appenders in 4 processes add at once', async () => {
    const processes = Array.from({ length: 4 }, (_, i) =>
      start(
        `const storage = realtime.createStorage({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' })
        await storage.backend.ready()
        say('ready')
        await told()
        await Promise.all(Array.from({ length: 50 }, async (_, n) => {
          for (let i = 0; i < 4; i++) await storage.addEvent('s', '${i}-' + n + '-' + i)
        }))
        await realtime.closeDefaultBackend()
        await storage.close()`,
        { URL: ground.redis.url, PREFIX: ground.prefix },
      ),
    )
    for (const each of processes) expect(await each.line()).toBe('ready')
    for (const each of processes) each.tell('go')
    expect(await Promise.all(processes.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
    const events = await createStorage({ backend: await ground.process() }).getEvents('s')
    expect(new Set(events).size).toBe(800)
    expect(events).toHaveLength(800)
  })

  it('keeps the order of events on a server that has never seen a script', async () => {
    await ground.redis.cli('SCRIPT', 'FLUSH')
    const proxy = await startProxy(ground.redis)
    // So that several are under way before the first is answered.
    proxy.delay(10)
    const backend = await ground.process({ redis: ground.target(proxy.url) })
    const storage = createStorage({ backend })
    const adding: unknown[] = []
    for (let n = 0; n < 60; n++) {
      adding.push(storage.addEvent('s', n))
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await Promise.all(adding)
    expect(await storage.getEvents('s')).toEqual(Array.from({ length: 60 }, (_, n) => n))
    await backend.close()
    await proxy.stop()
  })

  it('says what could not be done, while the server stays up (A8)', async () => {
    const storage = createStorage({ backend: await ground.process() })
    await storage.setSession('s', { a: 1 })
    const everything = [
      () => storage.getSession('s'),
      () => storage.setSession('s', {}),
      () => storage.updateSession('s', {}),
      () => storage.deleteSession('s'),
      () => storage.getSessions(),
      () => storage.addEvent('s', 1),
      () => storage.getEvents('s'),
      () => storage.addChain('s', { id: 'c' }),
      () => storage.getChains('s'),
      () => storage.addCommand('s', 1),
      () => storage.takeCommands('s'),
      () => storage.claimInput('s'),
    ]
    await ground.redis.kill()
    for (const call of everything) await expect(call()).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await ground.redis.start()
    await vi.waitUntil(() => Promise.resolve(storage.getSessions()).then(() => true, () => false), soon)
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    for (const write of [everything[1], everything[5], everything[7], everything[9]]) await expect(write?.()).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED', reply: 'oom' })
    expect(await storage.getSession('s')).toBeUndefined()
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    await storage.setSession('s', { a: 2 })
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    await expect(storage.addEvent('s', 1)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED', reply: 'readonly' })
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(() => Promise.resolve(storage.addEvent('s', 1)).then(() => true, () => false), soon)
    const hasty = createStorage({ backend: await ground.process({ deadline: '200ms' }) })
    ground.redis.pause()
    await expect(hasty.addEvent('s', 2)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_TIMEOUT' })
    ground.redis.resume()
  })
})
