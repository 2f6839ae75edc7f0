import { expect, it, vi } from 'vitest'
import type { PubSub } from '../../src/channels/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'

/** Notes what is heard, as `data@channel`. */
async function hearing(pubSub: PubSub, channel: string): Promise<string[]> {
  const heard: string[] = []
  await pubSub.subscribe(channel, (data, name) => heard.push(`${JSON.stringify(data)}@${name}`))
  return heard
}

describeEverywhere('channels', (ground) => {
  it('carry what is published to every process, the publishing one included, and once to each (D6)', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    await one.initialize()
    const [here, there] = [await hearing(one, 'news'), await hearing(other, 'news')]
    expect(await one.publish('news', { title: 'It works' })).toBe(true)
    expect(await other.publish('news', 'text')).toBe(true)
    await vi.waitUntil(() => here.length === 2 && there.length === 2, soon)
    await one.publish('news', [1, null])
    await vi.waitUntil(() => there.length === 3, soon)
    expect(here).toEqual(['{"title":"It works"}@news', '"text"@news', '[1,null]@news'])
    expect(there.toSorted()).toEqual(here.toSorted())
  })

  it('tell who sent a message (C5)', async () => {
    const [one, other] = [await ground.process({ serverId: 'a' }), await ground.process({ serverId: 'b' })]
    const senders: (string | undefined)[] = []
    await one.pubSub.subscribe('news', (_data, _channel, { serverId }) => senders.push(serverId))
    await one.pubSub.publish('news', 1)
    await vi.waitUntil(() => senders.length === 1, soon)
    await other.pubSub.publish('news', 2)
    await vi.waitUntil(() => senders.length === 2, soon)
    await ground.cli('PUBLISH', `${ground.prefix}news`, '{"from":"redis-cli"}')
    await vi.waitUntil(() => senders.length === 3, soon)
    expect(senders).toEqual(['a', 'b', undefined])
  })

  it('have several listeners each, of which one can be ended (D6)', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    const [first, second] = [vi.fn<() => void>(), vi.fn<() => void>()]
    await one.subscribe('news', first)
    await one.subscribe('news', first)
    const end = await one.subscribe('news', second)
    await other.publish('news', 1)
    await vi.waitUntil(() => second.mock.calls.length === 1, soon)
    expect(first).toHaveBeenCalledTimes(1)
    one.unsubscribe('news', first)
    await other.publish('news', 2)
    await vi.waitUntil(() => second.mock.calls.length === 2, soon)
    end()
    const last = await hearing(one, 'news')
    await other.publish('news', 3)
    await vi.waitUntil(() => last.length === 1, soon)
    expect(first).toHaveBeenCalledTimes(1)
    expect(second).toHaveBeenCalledTimes(2)
    one.unsubscribe('news')
    await other.publish('news', 4)
    const marker = await hearing(one, 'marker')
    await other.publish('marker', 5)
    await vi.waitUntil(() => marker.length === 1, soon)
    expect(last).toHaveLength(1)
  })

  it('are heard by pattern', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    const heard: string[] = []
    const end = await one.subscribePattern('room:*', (data, channel, { pattern }) => heard.push(`${String(data)} ${channel} ${pattern ?? ''}`))
    await other.publish('room:1', 'a')
    await other.publish('hall:1', 'b')
    await other.publish('room:2', 'c')
    await vi.waitUntil(() => heard.length === 2, soon)
    await one.publish('room:3', 'd')
    await vi.waitUntil(() => heard.length === 3, soon)
    expect(heard).toEqual(['a room:1 room:*', 'c room:2 room:*', 'd room:3 room:*'])
    end()
    const marker = await hearing(one, 'room:4')
    await other.publish('room:4', 'e')
    await vi.waitUntil(() => marker.length === 1, soon)
    expect(heard).toHaveLength(3)
  })

  it('keep the order of each publisher', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    const numbers: number[] = []
    await one.subscribe<number>('count', (data) => numbers.push(data))
    const published = Array.from({ length: 300 }, (_, i) => i)
    await Promise.all(published.map((i) => other.publish('count', i)))
    await vi.waitUntil(() => numbers.length === 300, soon)
    expect(numbers).toEqual(published)
    await Promise.all(published.map((i) => one.publish('count', i)))
    expect(numbers.slice(300)).toEqual(published)
  })

  it('of a subscriber end together', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    const subscriber = one.createSubscriber()
    const heard: unknown[] = []
    await subscriber.subscribe('news', (data) => heard.push(data))
    await subscriber.subscribePattern('room:*', (data) => heard.push(data))
    await other.publish('news', 1)
    await other.publish('room:1', 2)
    await vi.waitUntil(() => heard.length === 2, soon)
    subscriber.close()
    const marker = await hearing(one, 'news')
    await other.publish('room:1', 3)
    await other.publish('news', 4)
    await vi.waitUntil(() => marker.length === 1, soon)
    expect(heard).toEqual([1, 2])
  })

  it('of a subscriber that is closed meanwhile are not heard', async () => {
    const one = (await ground.process()).pubSub
    const subscriber = one.createSubscriber()
    const heard = vi.fn<() => void>()
    const subscribing = subscriber.subscribe('news', heard)
    subscriber.close()
    await subscribing
    await one.publish('news', 1)
    expect(heard).not.toHaveBeenCalled()
  })

  it('take any JSON, and names like those that say who sent it', async () => {
    const [one, other] = [(await ground.process()).pubSub, (await ground.process()).pubSub]
    const values = [null, 0, '', [], {}, { '@server': 'me', '@data': 1 }, { '@data': 1 }, { '@instance': 'me' }, { a: { b: [1] } }, JSON.parse('{"__proto__": {"polluted": true}}') as object]
    const heard: unknown[] = []
    await one.subscribe('any', (data) => heard.push(data))
    for (const value of values) await other.publish('any', value)
    await vi.waitUntil(() => heard.length === values.length, soon)
    expect(heard).toEqual(values)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    await expect(one.publish('any', 1n)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    await expect(one.publish('', 1)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('give what others wrote there, JSON or not, as it is', async () => {
    const one = (await ground.process()).pubSub
    const heard: unknown[] = []
    await one.subscribe('any', (data) => heard.push(data))
    for (const text of ['no JSON', '[1]', '"text"', '{"a":1}']) await ground.cli('PUBLISH', `${ground.prefix}any`, text)
    await vi.waitUntil(() => heard.length === 4, soon)
    expect(heard).toEqual(['no JSON', [1], 'text', { a: 1 }])
  })

  it('are refused after the backend was closed', async () => {
    const backend = await ground.process()
    await backend.close()
    await expect(backend.pubSub.publish('news', 1)).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
    await expect(backend.pubSub.subscribe('news', () => {})).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })
})

describeOnRedis('channels and Redis', (ground) => {
  it('deliver within the process while Redis is away, say that others were not told, and are subscribed again by themselves (D6, A8)', async () => {
    const [one, other] = [await ground.process(), await ground.process()]
    const here = await hearing(one.pubSub, 'news')
    await ground.redis.kill()
    expect(await one.pubSub.publish('news', 'alone')).toBe(false)
    expect(one.getConnectionStatus()).toBe('memory-fallback')
    const late = await hearing(one.pubSub, 'late')
    await one.pubSub.publish('late', 'alone too')
    expect([here, late]).toEqual([['"alone"@news'], ['"alone too"@late']])
    await ground.redis.start()
    const repeat = async () => {
      await other.pubSub.publish('news', 'again')
      await other.pubSub.publish('late', 'again')
      return here.length > 1 && late.length > 1
    }
    await vi.waitUntil(repeat, soon)
    expect([here[1], late[1]]).toEqual(['"again"@news', '"again"@late'])
  })

  it('are subscribed again after the connection for messages was cut', async () => {
    const [one, other] = [await ground.process(), await ground.process()]
    const here = await hearing(one.pubSub, 'news')
    await ground.redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await vi.waitUntil(async () => (await other.pubSub.publish('news', 1)) && here.length > 0, soon)
    expect(here[0]).toBe('1@news')
  })

  it('use one connection for messages, however many channels there are', async () => {
    const one = await ground.process()
    for (let i = 0; i < 20; i++) await one.pubSub.subscribe(`room:${i}`, () => {})
    await one.pubSub.subscribePattern('any:*', () => {})
    const subscribed = async () => String(await ground.redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')).trim().split('\n').map((line) => / sub=(\d+) psub=(\d+) /.exec(line)?.slice(1))
    // Redis may not have noticed yet that others have gone.
    await vi.waitFor(async () => expect(await subscribed()).toEqual([['20', '1']]), soon)
    for (let i = 0; i < 20; i++) one.pubSub.unsubscribe(`room:${i}`)
    one.pubSub.unsubscribePattern('any:*')
    await vi.waitFor(async () => expect([await ground.redis.cli('PUBSUB', 'CHANNELS'), await ground.redis.cli('PUBSUB', 'NUMPAT')]).toEqual([[], 0]), soon)
  })

  it('are subscribed at once, so to say, while Redis is away: nobody waits for it', async () => {
    // Who waited for it would wait longer than a test may take.
    const one = await ground.process({ deadline: '10m' })
    await ground.redis.kill()
    await one.pubSub.publish('news', 'nobody')
    expect(await one.pubSub.subscribe('news', () => {})).toBeTypeOf('function')
    await ground.redis.start()
  })

  it('are heard or not as was asked last, also while the first connection is waited for', async () => {
    const one = await ground.process({ deadline: '100ms' })
    const heard: unknown[] = []
    ground.redis.pause()
    const asked = [one.pubSub.subscribe('ended', () => {}), one.pubSub.subscribe('again', () => {})]
    one.pubSub.unsubscribe('ended')
    one.pubSub.unsubscribe('again')
    asked.push(one.pubSub.subscribe('again', (data) => heard.push(data)))
    await Promise.all(asked)
    ground.redis.resume()
    await vi.waitUntil(async () => {
      await ground.cli('PUBLISH', `${ground.prefix}again`, '1')
      return heard.length > 0
    }, soon)
    await vi.waitFor(async () => expect(await ground.cli('PUBSUB', 'CHANNELS')).toEqual([`${ground.prefix}again`]), soon)
  })

  it('may be closed while a subscription is waited for', async () => {
    const one = await ground.process({ deadline: '100ms' })
    ground.redis.pause()
    const end = await one.pubSub.subscribe('news', () => {})
    await one.close()
    ground.redis.resume()
    // What nobody handles is found out after each test.
    expect(end).not.toThrow()
  })

  it('that Redis refuses are refused, and not heard in the process either', async () => {
    const url = await ground.redis.addUser('reader', 'secret', ['~*', `&${ground.prefix}open:*`, '+@all'])
    const { pubSub } = await ground.process({ redis: ground.target(url) })
    const heard = vi.fn<() => void>()
    await expect(pubSub.subscribe('closed', heard)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED' })
    await pubSub.publish('closed', 1)
    const open = await hearing(pubSub, 'open:1')
    await pubSub.publish('open:1', 2)
    expect([open, heard.mock.calls]).toEqual([['2@open:1'], []])
  })
})

describeOnRedis('channels and trouble', (ground) => {
  it('go on within the process while Redis is paused, and with all others when it goes on (A8)', async () => {
    const [one, other] = [await ground.process({ deadline: '150ms' }), await ground.process()]
    const [here, there] = [await hearing(one.pubSub, 'news'), await hearing(other.pubSub, 'news')]
    ground.redis.pause()
    expect(await one.pubSub.publish('news', 'paused')).toBe(false)
    expect(here).toEqual(['"paused"@news'])
    ground.redis.resume()
    await vi.waitUntil(async () => (await one.pubSub.publish('news', 'again')) && there.includes('"again"@news'), soon)
    expect(here.filter((each) => each.startsWith('"paused"'))).toHaveLength(1)
  })

  it('carry messages of a Redis that is full, and find their way back when it was restarted empty', async () => {
    const [one, other] = [await ground.process(), await ground.process()]
    const there = await hearing(other.pubSub, 'news')
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect(await one.pubSub.publish('news', 'full')).toBe(true)
    await ground.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    await vi.waitUntil(() => there.includes('"full"@news'), soon)
    await ground.redis.restart()
    await vi.waitUntil(async () => (await one.pubSub.publish('news', 'restarted')) && there.includes('"restarted"@news'), soon)
    expect(there[0]).toBe('"full"@news')
  })
})
