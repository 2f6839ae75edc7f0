import { afterEach, expect, it, vi } from 'vitest'
import { PresenceService, type PresenceChange, type PresenceOptions } from '../../src/presence/index.js'
import { executedDuring } from '../../../core/test/redis/tier/monitor.js'
import { describeEverywhere, describeOnRedis, soon, type Ground } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const opened: PresenceService[] = []

afterEach(async () => {
  await Promise.all(opened.splice(0).map((presence) => presence.close()))
})

async function open(ground: Ground, options: PresenceOptions = {}, of: Parameters<Ground['process']>[0] = {}): Promise<PresenceService> {
  const presence = new PresenceService({ backend: await ground.process(of), ...options })
  opened.push(presence)
  return presence
}

const shown = ({ type, userId, room }: PresenceChange) => [type, userId, ...(room === undefined ? [] : [room])].join(' ')

async function hearing(presence: PresenceService): Promise<string[]> {
  const heard: string[] = []
  await presence.onChange((change) => heard.push(shown(change)))
  return heard
}

describeEverywhere('presence', (ground) => {
  it('knows in every process who is online, and in which rooms (D5)', async () => {
    const [one, other] = [await open(ground), await open(ground)]
    expect(await one.setOnline('ada', 's1', 'lobby')).toBe(true)
    expect(await other.setOnline('bo', 's2', 'lobby')).toBe(true)
    await other.setOnline('bo', 's2', 'hall')
    await other.setOnline('cy', 's3')
    expect((await other.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'bo'])
    expect(await one.getOnlineUsers('hall')).toEqual(['bo'])
    expect((await one.getOnlineUsers()).toSorted()).toEqual(['ada', 'bo', 'cy'])
    expect(await Promise.all(['ada', 'bo', 'cy', 'di'].map((user) => one.isOnline(user)))).toEqual([true, true, true, false])
    expect(await one.getOnlineUsers('none')).toEqual([])
    await other.setOffline('bo', 's2', 'lobby')
    expect([await one.getOnlineUsers('lobby'), await one.isOnline('bo')]).toEqual([['ada'], true])
    await other.setOffline('bo', 's2', 'hall')
    expect(await one.isOnline('bo')).toBe(false)
  })

  it('has a user online until the last of three sockets is gone, whichever process they came to (D5)', async () => {
    const [one, other] = [await open(ground), await open(ground)]
    const heard = await hearing(other)
    await one.setOnline('ada', 's1', 'lobby')
    await one.setOnline('ada', 's2', 'lobby')
    await other.setOnline('ada', 's3', 'lobby')
    await one.setOffline('ada', 's1')
    await other.setOffline('ada', 's3')
    expect([await one.isOnline('ada'), await other.getOnlineUsers('lobby')]).toEqual([true, ['ada']])
    await one.setOffline('ada', 's2')
    expect([await one.isOnline('ada'), await other.getOnlineUsers('lobby')]).toEqual([false, []])
    await vi.waitUntil(() => heard.length >= 4, soon)
    expect(heard).toEqual(['join ada lobby', 'online ada', 'leave ada lobby', 'offline ada'])
  })

  it('tells every process of each change once (D5)', async () => {
    const all = [await open(ground), await open(ground), await open(ground)]
    const heard = await Promise.all(all.map(hearing))
    await Promise.all(all.map((presence, i) => presence.setOnline('ada', `s${i}`, 'lobby')))
    await Promise.all(all.map((presence) => presence.setOnline('ada', 'again', 'lobby')))
    await Promise.all(all.map((presence, i) => presence.setOffline('ada', `s${i}`)))
    await Promise.all(all.map((presence) => presence.setOffline('ada', 'again')))
    await vi.waitUntil(() => heard.every(({ length }) => length >= 4), soon)
    for (const each of heard) expect(each.toSorted()).toEqual(['join ada lobby', 'leave ada lobby', 'offline ada', 'online ada'])
  })

  it('has a socket with one user at a time', async () => {
    const presence = await open(ground)
    const heard = await hearing(presence)
    await presence.setOnline('ada', 's', 'lobby')
    await presence.setOnline('bo', 's', 'hall')
    expect([await presence.getOnlineUsers('lobby'), await presence.getOnlineUsers('hall'), await presence.getOnlineUsers()]).toEqual([['bo'], ['bo'], ['bo']])
    await presence.setOffline('bo', 's')
    await vi.waitUntil(() => heard.length >= 8, soon)
    expect(heard).toEqual(['join ada lobby', 'online ada', 'leave ada lobby', 'join bo lobby', 'join bo hall', 'offline ada', 'online bo', 'leave bo lobby', 'leave bo hall', 'offline bo'].slice(0, heard.length))
  })

  it('stays while the heart beats, and leaves nothing behind when all is over', async () => {
    const presence = await open(ground, { ttl: '9s' })
    await presence.setOnline('ada', 's', 'lobby')
    const names = ['presence', 'presence:lobby'].map((name) => ground.prefix + name)
    const [own = ''] = (await ground.cli('ZRANGE', `{${names[0]}}:processes`, 0, -1)) as string[]
    const ends = () => Promise.all(names.map(async (name) => Number(await ground.cli('ZSCORE', `{${name}}:processes`, own))))
    const keys = names.flatMap((name) => [name, `{${name}}:processes`, `{${name}}:of:${own}`])
    const before = await ends()
    // As if much of their time were over.
    for (const key of keys) expect(await ground.cli('PEXPIRE', key, 15_000)).toBe(1)
    await vi.waitUntil(async () => {
      const left = (await Promise.all(keys.map((key) => ground.cli('PTTL', key)))) as number[]
      return left.every((ms) => ms > 15_000) && (await ends()).every((end, i) => end > (before[i] ?? 0))
    }, soon)
    expect(await presence.isOnline('ada')).toBe(true)
    await presence.close()
    expect(await ground.cli('EXISTS', ...keys)).toBe(0)
  })

  it('tells others at once when a process ends in order', async () => {
    const [one, other] = [await open(ground), await open(ground)]
    const heard = await hearing(other)
    await one.setOnline('ada', 's1', 'lobby')
    await one.setOnline('ada', 's2', 'hall')
    await one.close()
    await vi.waitUntil(() => heard.length >= 6, soon)
    expect(heard.toSorted()).toEqual(['join ada hall', 'join ada lobby', 'leave ada hall', 'leave ada lobby', 'offline ada', 'online ada'])
    await expect(one.setOnline('ada', 's1')).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })

  it('keeps users and rooms apart whatever they are called', async () => {
    const presence = await open(ground)
    const names = ['a', '{a}', 'a b', '"', '\\', 'ü', '__proto__', '*']
    const heard = await hearing(presence)
    for (const name of names) await presence.setOnline(name, `s ${name}`, name)
    for (const name of names) expect(await presence.getOnlineUsers(name)).toEqual([name])
    await vi.waitUntil(() => heard.length === 2 * names.length, soon)
    expect(heard.filter((each) => each.startsWith('join'))).toEqual(names.map((name) => `join ${name} ${name}`))
    await expect(presence.setOnline('', 's')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(presence.setOnline('u', 's', '')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
  })
})

describeOnRedis('presence and Redis', (ground) => {
  const start = useOwnProcesses()
  const crowd = `const presence = new realtime.PresenceService({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s', ttl: process.env.TTL })
    await presence.setOnline('ada', 's1', 'lobby')
    await presence.setOnline('bo', 's2', 'lobby')
    await presence.setOnline('bo', 's2', 'alone')
    say('there')
    await told()
    say('again')
    await told()`
  /** It does nothing any more, as if since long. */
  const hasNotRenewed = async () => {
    const [id = ''] = (await ground.cli('ZRANGE', `{${ground.prefix}presence:alone}:processes`, 0, -1)) as string[]
    for (const name of ['presence', 'presence:lobby', 'presence:alone']) expect(await ground.cli('ZADD', `{${ground.prefix}${name}}:processes`, 1, id)).toBe(0)
  }

  it('has the sockets of a crashed process go, and tells of each once in all of the fleet, also of rooms where it was alone (D5)', async () => {
    const all = [await open(ground), await open(ground), await open(ground)]
    await all[0]?.setOnline('ada', 's9', 'lobby')
    const heard = await Promise.all(all.map(hearing))
    const crashing = start(crowd, { URL: ground.redis.url, PREFIX: ground.prefix, TTL: '5m' })
    expect(await crashing.line()).toBe('there')
    crashing.signal('SIGKILL')
    await crashing.ended
    await hasNotRenewed()
    await vi.waitUntil(async () => {
      await Promise.all(all.map((presence) => presence.heartbeat()))
      return heard.every((each) => each.filter((one) => /^(leave|offline) bo/.test(one)).length >= 3)
    }, soon)
    // One more round of hearts, in which nobody finds anything any more.
    await Promise.all(all.map((presence) => presence.heartbeat()))
    for (const each of heard) expect(each.toSorted()).toEqual(['join bo alone', 'join bo lobby', 'leave bo alone', 'leave bo lobby', 'offline bo', 'online bo'])
    expect(await ground.redis.cli('KEYS', `${ground.prefix}presence-rooms:*`), 'of those that are there').toHaveLength(1)
    expect(await all[1]?.getOnlineUsers('lobby')).toEqual(['ada'])
    expect(await all[1]?.getOnlineUsers('alone')).toEqual([])
  })

  it('gives those who ask no users of a process that is gone, though nobody has noticed yet (D5)', async () => {
    const presence = await open(ground)
    const crashing = start(crowd, { URL: ground.redis.url, PREFIX: ground.prefix, TTL: '5m' })
    expect(await crashing.line()).toBe('there')
    expect((await presence.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'bo'])
    crashing.signal('SIGKILL')
    await crashing.ended
    await hasNotRenewed()
    await vi.waitUntil(async () => (await presence.getOnlineUsers('lobby')).length === 0, soon)
    await vi.waitUntil(async () => !(await presence.isOnline('bo')), soon)
    expect(await presence.getOnlineUsers()).toEqual([])
  })

  it('has a process that was paused too long leave, and join again when it goes on', async () => {
    const presence = await open(ground)
    const heard = await hearing(presence)
    const paused = start(crowd, { URL: ground.redis.url, PREFIX: ground.prefix, TTL: '6s' })
    expect(await paused.line()).toBe('there')
    await vi.waitUntil(() => heard.includes('join bo alone'), soon)
    paused.signal('SIGSTOP')
    await hasNotRenewed()
    await vi.waitUntil(async () => {
      await presence.heartbeat()
      return heard.includes('offline bo') && heard.includes('offline ada')
    }, soon)
    heard.length = 0
    paused.signal('SIGCONT')
    await vi.waitUntil(() => heard.length >= 5, soon)
    expect(heard.toSorted()).toEqual(['join ada lobby', 'join bo alone', 'join bo lobby', 'online ada', 'online bo'])
  })

  it('goes on with its own sockets while Redis is away, and tells of them when it is back, empty or not (A8)', async () => {
    const presence = await open(ground)
    await presence.setOnline('ada', 's1', 'lobby')
    await presence.setOnline('bo', 's2', 'lobby')
    await ground.redis.kill()
    expect(await presence.setOnline('cy', 's3', 'lobby')).toBe(false)
    expect(await presence.setOffline('bo', 's2')).toBe(false)
    expect((await presence.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'cy'])
    expect([await presence.isOnline('bo'), await presence.isOnline('cy')]).toEqual([false, true])
    await ground.redis.start()
    const other = await open(ground)
    await vi.waitUntil(async () => (await other.getOnlineUsers()).length === 2, soon)
    expect((await other.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'cy'])
    await ground.redis.cli('FLUSHALL')
    await vi.waitFor(async () => {
      // One that was under way may have been too early.
      await presence.heartbeat()
      expect((await other.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'cy'])
    }, soon)
  })

  it('makes up for what Redis did not confirm', async () => {
    const [presence, other] = [await open(ground, {}, { deadline: '150ms' }), await open(ground)]
    const heard = await hearing(other)
    await vi.waitUntil(() => presence.setOnline('ada', 's1', 'lobby'), soon)
    ground.redis.pause()
    expect(await presence.setOnline('bo', 's2', 'lobby')).toBe(false)
    expect(await presence.setOffline('ada', 's1')).toBe(false)
    ground.redis.resume()
    await vi.waitUntil(async () => {
      await presence.heartbeat()
      return (await other.getOnlineUsers()).join(' ') === 'bo'
    }, soon)
    expect(await other.getOnlineUsers('lobby')).toEqual(['bo'])
    await vi.waitUntil(() => heard.includes('offline ada'), soon)
    expect(heard.filter((each) => each.endsWith('lobby')).toSorted()).toEqual(['join ada lobby', 'join bo lobby', 'leave ada lobby'])
  })

  it('stays up while Redis is full or a replica, and catches up', async () => {
    const presence = await open(ground)
    await presence.setOnline('ada', 's1', 'lobby')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await presence.setOnline('bo', 's2', 'lobby')).toBe(false)
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    await vi.waitFor(async () => {
      await presence.heartbeat()
      expect((await presence.getOnlineUsers('lobby')).toSorted()).toEqual(['ada', 'bo'])
    }, soon)
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    expect(await presence.setOffline('bo', 's2')).toBe(false)
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    const other = await open(ground)
    await vi.waitUntil(async () => (await other.getOnlineUsers('lobby')).join(' ') === 'ada', soon)
  })

  it('is buried by others when it ends and cannot leave all its rooms', async () => {
    const options = { ttl: '2s' } as const
    const [presence, other] = [await open(ground, options), await open(ground, options)]
    const heard = await hearing(other)
    await presence.setOnline('ada', 's1', 'lobby')
    await presence.setOnline('ada', 's1', 'hall')
    const [key = ''] = (await ground.redis.cli('KEYS', `{${ground.prefix}presence:hall}:of:*`)) as string[]
    expect(await ground.redis.cli('RENAME', key, 'away')).toBe('OK')
    await ground.redis.cli('SET', key, 'not a hash')
    await presence.close()
    await ground.redis.cli('RENAME', 'away', key)
    await vi.waitUntil(() => heard.includes('offline ada'), soon)
    expect(heard.filter((each) => each.startsWith('leave')).toSorted()).toEqual(['leave ada hall', 'leave ada lobby'])
  })

  it('remembers which rooms a process has sockets in, and no others, as long as it is there', async () => {
    const presence = await open(ground)
    const remembered = async () => {
      const [key] = (await ground.redis.cli('KEYS', `${ground.prefix}presence-rooms:*`)) as string[]
      return key === undefined ? [] : ((await ground.redis.cli('SMEMBERS', key)) as string[]).toSorted()
    }
    await presence.setOnline('ada', 's1', 'lobby')
    await presence.setOnline('bo', 's2', 'lobby')
    await presence.setOnline('bo', 's2', 'hall')
    expect(await remembered()).toEqual(['hall', 'lobby'])
    await presence.setOffline('bo', 's2', 'hall')
    await presence.setOffline('bo', 's2', 'lobby')
    expect(await remembered()).toEqual(['lobby'])
    await presence.close()
    expect(await ground.redis.cli('KEYS', `${ground.prefix}*`)).toEqual([])
  })

  it('tells a Redis that was restarted in a moment when nothing was asked of it', async () => {
    const [presence, other] = [await open(ground), await open(ground)]
    await presence.setOnline('ada', 's1', 'lobby')
    await ground.redis.restart()
    await vi.waitFor(async () => {
      expect(await other.getOnlineUsers('lobby')).toEqual(['ada'])
      expect(await other.getOnlineUsers()).toEqual(['ada'])
    }, soon)
  })

  it('tells Redis by itself what it has refused, as soon as it takes it', async () => {
    const [presence, other] = [await open(ground), await open(ground)]
    await presence.setOnline('ada', 's1', 'lobby')
    await ground.redis.cli('REPLICAOF', '127.0.0.1', '1')
    // There are as many sockets as before, and others.
    expect(await Promise.all([presence.setOnline('bo', 's2', 'lobby'), presence.setOffline('ada', 's1')])).toEqual([false, false])
    await ground.redis.cli('REPLICAOF', 'NO', 'ONE')
    await vi.waitUntil(async () => (await other.getOnlineUsers('lobby')).join() === 'bo', soon)
    await ground.redis.fillUp()
    expect(await presence.setOnline('cy', 's3', 'lobby')).toBe(false)
    // It is told in vain once more.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await ground.redis.drain()
    await vi.waitFor(async () => {
      expect((await other.getOnlineUsers('lobby')).toSorted()).toEqual(['bo', 'cy'])
      expect((await other.getOnlineUsers()).toSorted()).toEqual(['bo', 'cy'])
    }, soon)
  })

  it('costs two commands at most for each room and heartbeat, with 10,000 sockets in 100 rooms (D5)', async () => {
    const presence = await open(ground)
    for (let room = 0; room < 100; room++) await Promise.all(Array.from({ length: 100 }, (_, n) => presence.setOnline(`u${room}-${n}`, `s${room}-${n}`, `room${room}`)))
    expect(await presence.getOnlineUsers()).toHaveLength(10_000)
    const executed = await executedDuring(ground.redis, () => presence.heartbeat())
    const sent = executed.filter(({ from, command }) => from !== 'lua' && command[0] !== 'ECHO')
    process.stdout.write(`presence: ${sent.length} commands for a heartbeat of 10,000 sockets in 100 rooms\n`)
    expect(sent.length).toBeGreaterThanOrEqual(100)
    expect(sent.length).toBeLessThanOrEqual(200)
  })
})
