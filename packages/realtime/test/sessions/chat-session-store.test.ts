import { expect, it, vi } from 'vitest'
import { createChatSessionStore } from '../../src/sessions/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

describeEverywhere('chat sessions', (ground) => {
  const open = async (options: object = {}) => createChatSessionStore<{ topic: string; agent?: string }, string>({ backend: await ground.process(), ...options })
  const keys = (...names: string[]) => names.map((name) => ground.prefix + name)
  /** What there is of a session. */
  const of = (id: string) => [`${ground.prefix}chat:${id}`, `{${ground.prefix}chat:${id}}:messages`]

  it('are created, changed, found and removed (B4)', async () => {
    const [one, other] = [await open(), await open()]
    await one.createSession('s', { topic: 'Visa' })
    expect(await other.getSession('s')).toMatchObject({ id: 's', topic: 'Visa' })
    expect(await other.updateSession('s', { agent: 'Ada' })).toMatchObject({ topic: 'Visa', agent: 'Ada' })
    expect(await one.updateSession('none', { agent: 'Ada' })).toBeUndefined()
    expect((await one.getAllActiveSessions()).map(({ id }) => id)).toEqual(['s'])
    expect(await one.deleteSession('s')).toBe(true)
    expect(await one.getAllActiveSessions()).toEqual([])
  })

  it('keep every message when several append at once, and give the last ones (B4)', async () => {
    const all = [await open(), await open(), await open()]
    await all[0]?.createSession('s', { topic: 'Visa' })
    expect(await Promise.all(all.flatMap((store, i) => Array.from({ length: 17 }, (_, n) => store.addMessageToSession('s', `${i}-${n}`))))).toEqual(Array.from({ length: 51 }, () => true))
    const messages = (await all[1]?.getSessionMessages('s', 100)) ?? []
    expect(new Set(messages).size).toBe(51)
    expect(await all[2]?.getSessionMessages('s')).toEqual(messages.slice(1))
    expect(await all[2]?.getSessionMessages('s', 2)).toEqual(messages.slice(-2))
    expect(await all[0]?.addMessageToSession('none', 'x')).toBe(false)
    expect((await all[0]?.getStats())?.activeSessions).toBe(1)
  })

  it('keep so many messages, and none of a session that was created anew', async () => {
    const store = await open({ maxMessages: 3 })
    await store.createSession('s', { topic: 'Visa' })
    for (const text of ['a', 'b', 'c', 'd']) await store.addMessageToSession('s', text)
    expect(await store.getSessionMessages('s')).toEqual(['b', 'c', 'd'])
    await store.createSession('s', { topic: 'Hotel' })
    expect(await store.getSessionMessages('s')).toEqual([])
  })

  it('know at which socket users and agents are, and which agents are available (B4)', async () => {
    const [one, other] = [await open(), await open()]
    await one.mapUserToSocket('u', 'socket-1')
    expect(await other.getUserSocket('u')).toBe('socket-1')
    await other.mapUserToSocket('u', 'socket-2')
    expect(await one.unmapUser('u', 'socket-1')).toBe(false)
    expect(await one.getUserSocket('u')).toBe('socket-2')
    expect(await one.unmapUser('u')).toBe(true)
    expect(await one.getUserSocket('u')).toBeUndefined()

    await one.mapAgentToSocket('ada', 'socket-3')
    await other.mapAgentToSocket('bo', 'socket-4')
    expect((await one.getAvailableAgents()).toSorted()).toEqual(['ada', 'bo'])
    expect(await other.setAgentAvailable('ada', false)).toBe(true)
    expect(await one.getAvailableAgents()).toEqual(['bo'])
    expect(await one.getAgentSocket('ada')).toBe('socket-3')
    expect(await one.unmapAgent('bo', 'another')).toBe(false)
    expect(await one.unmapAgent('bo', 'socket-4')).toBe(true)
    expect(await one.getAvailableAgents()).toEqual([])
    expect(await other.setAgentAvailable('bo', true)).toBe(false)
    expect(await other.getAvailableAgents()).toEqual([])
    expect(await other.getStats()).toEqual({ activeSessions: 0, availableAgents: 0, connection: ground.hasRedis ? 'connected' : 'memory-fallback' })
  })

  it('leave no trace when their time is over (B4)', async () => {
    const store = await open({ ttl: '150ms', socketTtl: '150ms' })
    await store.createSession('s', { topic: 'Visa' })
    await store.addMessageToSession('s', 'a')
    await store.mapUserToSocket('u', 'socket')
    await store.mapAgentToSocket('a', 'socket')
    const all = [...keys('chat:s', 'index:chat', 'chat-user:u', 'chat-agent:a', 'index:chat-agents'), `{${ground.prefix}chat:s}:messages`, `{${ground.prefix}chat:s}:gone`]
    await vi.waitUntil(async () => (await ground.cli('EXISTS', ...all)) === 0, soon)
    expect(await store.getStats()).toMatchObject({ activeSessions: 0, availableAgents: 0 })
    expect(await store.cleanupExpiredSessions()).toBe(0)
  })

  it('live on with each message, and so do their messages with each change', async () => {
    const store = await open({ ttl: '10m' })
    const index = `${ground.prefix}index:chat`
    for (const id of ['s', 't', 'u']) {
      await store.createSession(id, { topic: 'Visa' })
      await store.addMessageToSession(id, 'first')
      // As if nearly all of its time were over.
      for (const key of of(id)) expect(await ground.cli('PEXPIRE', key, 60_000)).toBe(1)
      await ground.cli('ZADD', index, Date.now() + 60_000, id)
    }
    await store.addMessageToSession('s', 'next')
    await store.updateSession('t', { topic: 'Car' })
    const left = await Promise.all(['s', 't', 'u'].flatMap(of).map((key) => ground.cli('PTTL', key)))
    expect(left.map((ms) => Number(ms) > 60_000)).toEqual([true, true, true, true, false, false])
    // Those that expire first come first.
    expect((await store.getAllActiveSessions()).map(({ id }) => id)).toEqual(['u', 's', 't'])
    expect(await store.getSessionMessages('s')).toEqual(['first', 'next'])
    expect(await store.getSessionMessages('t')).toEqual(['first'])
  })

  it('forget the ids of those that expired with the next change', async () => {
    const [brief, long] = [await open({ ttl: '60ms' }), await open()]
    for (const id of ['a', 'b', 'c']) await brief.createSession(id, { topic: 'x' })
    await long.createSession('long', { topic: 'x' })
    await vi.waitUntil(async () => {
      await long.addMessageToSession('long', 'x')
      return (await ground.cli('ZCARD', `${ground.prefix}index:chat`)) === 1
    }, soon)
    expect((await long.getAllActiveSessions()).map(({ id }) => id)).toEqual(['long'])
  })

  it('forget the ids of those that expired (B4)', async () => {
    const [brief, long] = [await open({ ttl: '60ms' }), await open()]
    await long.createSession('long', { topic: 'x' })
    await brief.createSession('brief', { topic: 'x' })
    let found = 0
    await vi.waitUntil(async () => (found += await long.cleanupExpiredSessions()) > 0, soon)
    expect(found).toBe(1)
    expect(await long.getStats()).toMatchObject({ activeSessions: 1 })
  })
})

describeOnRedis('chat sessions and Redis', (ground) => {
  const start = useOwnProcesses()

  it('lose no message of 50 appenders in 4 processes (B4)', async () => {
    const store = createChatSessionStore({ backend: await ground.process() })
    await store.createSession('s', { topic: 'Visa' })
    const processes = Array.from({ length: 4 }, (_, i) =>
      start(
        `const store = realtime.createChatSessionStore({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' })
        await store.getStats()
        say('ready')
        await told()
        const all = await Promise.all(Array.from({ length: 50 }, (_, n) => store.addMessageToSession('s', '${i}-' + n)))
        say(String(all.every(Boolean)))
        await store.close()`,
        { URL: ground.redis.url, PREFIX: ground.prefix },
      ),
    )
    for (const each of processes) expect(await each.line()).toBe('ready')
    for (const each of processes) each.tell('go')
    for (const each of processes) expect(await each.line()).toBe('true')
    const messages = await store.getSessionMessages('s', 1000)
    expect([messages.length, new Set(messages).size]).toEqual([200, 200])
    process.stdout.write(`appends: ${messages.length} by 50 appenders in each of 4 processes, ${200 - new Set(messages).size} lost\n`)
  })

  it('say what could not be done while Redis is away', async () => {
    const store = createChatSessionStore({ backend: await ground.process() })
    await store.createSession('s', { topic: 'Visa' })
    await ground.redis.kill()
    await expect(store.addMessageToSession('s', 'a')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await expect(store.getSessionMessages('s')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await expect(store.getStats()).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await ground.redis.start()
    await vi.waitUntil(() => store.createSession('s', { topic: 'Visa' }).then(() => true, () => false), soon)
  })
})

describeOnRedis('chat sessions and trouble', (ground) => {
  it('go on after Redis was paused, full or a replica, and what was confirmed is there', async () => {
    const open = async (deadline: string) => createChatSessionStore<{ topic: string }, string>({ backend: await ground.process({ deadline: deadline as '1s' }) })
    const [store, hasty] = [await open('30s'), await open('200ms')]
    await store.createSession('s', { topic: 'Visa' })
    const confirmed: string[] = []
    const append = async (text: string, by = store) => {
      const isThere = await by.addMessageToSession('s', text).catch((error: { reply?: string; code: string }) => error.reply ?? error.code)
      if (isThere === true) confirmed.push(text)
      return isThere
    }
    expect(await append('a')).toBe(true)
    ground.redis.pause()
    expect(await append('paused', hasty)).toBe('TIERCEL_REDIS_TIMEOUT')
    ground.redis.resume()
    let tries = 0
    await vi.waitUntil(async () => (await append(`resumed ${++tries}`, hasty)) === true, soon)
    expect(await append('b')).toBe(true)
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await append('full')).toBe('oom')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    expect(await append('replica')).toBe('readonly')
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(async () => (await append('c')) === true, soon)
    // Of what timed out nobody knows whether it was done.
    expect((await store.getSessionMessages('s')).filter((text) => confirmed.includes(text) || !/^(paused|resumed)/.test(text))).toEqual(confirmed)
  })
})
