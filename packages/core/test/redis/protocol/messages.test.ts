import { expect, it } from 'vitest'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Process } from './stage/stage.js'

describeWithRedis('messages between processes', () => {
  const stage = useStage()

  async function twoWith(key: string, options = {}): Promise<[Process, Process]> {
    const a = await stage.open(options)
    const b = await stage.open()
    await a.cache.set(key, 'old')
    return [a, b]
  }

  it('one that arrives twice costs no more than what is in memory', async () => {
    const [a, b] = await twoWith('k')
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    a.link.messages.double()
    a.link.messages.release()
    expect(a.cache.peek('k')).toBeUndefined()
    await a.cache.set('k', 'new')
    await b.cache.invalidate({ key: 'other' })
    expect(await a.cache.get('k')).toBe('new')
  })

  it('two that arrive in the other order leave nothing behind', async () => {
    const [a, b] = await twoWith('k')
    await a.cache.set('l', 'old')
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    await b.cache.invalidate({ key: 'l' })
    a.link.messages.swap()
    a.link.messages.deliverOne()
    expect([a.cache.peek('k'), a.cache.peek('l')]).toEqual([undefined, undefined])
    a.link.messages.release()
    expect([a.cache.peek('k'), a.cache.peek('l')]).toEqual([undefined, undefined])
  })

  it('a lost one is found out by the next heartbeat when none follows it', async () => {
    const [a, b] = await twoWith('k')
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    a.link.messages.loseOne()
    a.link.messages.release()
    expect(a.cache.peek('k')).toBe('old')
    await stage.pass(1000)
    // So long it waits for what may only be late.
    await stage.pass(500)
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('over a half-open subscription a process stops trusting its memory, and hears again after the next heartbeat', async () => {
    const [a, b] = await twoWith('k', { maxStaleness: '5s' })
    a.link.messages.isDeaf = true
    await b.cache.invalidate({ key: 'k' })
    stage.jump(4000)
    expect(a.cache.peek('k')).toBe('old')
    stage.jump(1001)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
    a.link.messages.isDeaf = false
    await stage.pass(3000)
    await a.cache.set('k', 'new')
    await b.cache.invalidate({ key: 'k' })
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('a process that was stopped serves nothing old at its first call, before anything that was due has happened', async () => {
    const [a, b] = await twoWith('k', { maxStaleness: '5s' })
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    stage.jump(30_000)
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it('a heartbeat confirms no more than when it was sent', async () => {
    const [a, b] = await twoWith('k', { maxStaleness: '5s' })
    const beat = a.link.holdReply('heartbeat')
    await stage.pass(1700)
    await beat.arrived
    await b.cache.invalidate({ key: 'other' })
    a.link.messages.isDeaf = true
    await b.cache.invalidate({ key: 'k' })
    stage.jump(4000)
    beat.release()
    await stage.settled()
    stage.jump(1001)
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('a lost counter, begun again by whoever needs it next, makes everybody forget', async () => {
    const [a, b] = await twoWith('k')
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    a.link.messages.loseOne()
    a.link.messages.release()
    await stage.drop(stage.redisKey.sequence())
    await b.cache.invalidate({ key: 'other' })
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('a counter that somebody set back makes everybody forget', async () => {
    const [a] = await twoWith('k')
    await stage.redis.cli('SET', stage.redisKey.sequence(), 5)
    await stage.pass(1000)
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('a counter that somebody overwrote with text is begun again', async () => {
    const [a, b] = await twoWith('k')
    await stage.redis.cli('SET', stage.redisKey.sequence(), 'text')
    expect(await b.cache.invalidate({ key: 'k' })).toEqual({ durable: true, count: 1 })
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it.for([
    ['numbered ahead', (next: number) => `${next + 5}|["x",0,"tiercel",["other"],[]]`],
    ['numbered behind', () => '1|["x",0,"tiercel",["other"],[]]'],
    ['without sense', (next: number) => `${next}|["x",7,{}]`],
    ['that is no JSON', (next: number) => `${next}|}{`],
    ['of two megabytes', (next: number) => `${next}|["x",0,"tiercel",["${'k'.repeat(2_000_000)}"],[]]`],
    ['in the name of the process itself', (next: number, self: string) => `${next}|["${self}",0,"tiercel",["other"],[]]`],
  ] as const)('a forged one %s makes nobody serve what a true one was about', async ([, forge]) => {
    const [a, b] = await twoWith('k')
    const number = Number(await stage.redis.cli('GET', stage.redisKey.sequence()))
    const channel = stage.redisKey.sequence().replace(/:seq$/, '')
    await stage.redis.cli('PUBLISH', channel, forge(number + 1, a.remote.bus.self))
    await stage.settled()
    await b.cache.invalidate({ key: 'k' })
    expect(a.cache.peek('k')).toBeUndefined()
    await stage.pass(1000)
    await stage.pass(1000)
    await a.cache.set('k', 'new')
    expect(await a.cache.get('k')).toBe('new')
  })

  it('one without a number is none of ours, and nobody minds', async () => {
    const [a] = await twoWith('k')
    const channel = stage.redisKey.sequence().replace(/:seq$/, '')
    await stage.redis.cli('PUBLISH', channel, 'hello')
    await stage.settled()
    expect(a.cache.peek('k')).toBe('old')
    expect(a.shared.foreignMessages).toBe(1)
  })

  it('nothing is sent by processes that nobody asks anything', async () => {
    const all = [await stage.open(), await stage.open()]
    await stage.pass(15_000)
    for (const { link } of all) link.sent.length = 0
    await stage.pass(60_000)
    expect(all.flatMap(({ link }) => link.sent)).toEqual([])
  })

  it('a heartbeat is at most two commands a second', async () => {
    const a = await stage.open({ maxStaleness: '5s' })
    a.link.sent.length = 0
    for (let second = 0; second < 5; second++) {
      await a.cache.get('k')
      a.link.sent.splice(a.link.sent.indexOf('MGET'), 1)
      await stage.pass(1000)
    }
    expect(a.link.sent.length).toBeLessThanOrEqual(10)
  })

  it('an invalidated value does not serve as grace beyond maxStaleness', async () => {
    const [a, b] = [await stage.open({ maxStaleness: '5s', grace: '1h' }), await stage.open()]
    await a.cache.set('k', 'old')
    a.link.messages.isDeaf = true
    await b.cache.invalidate({ key: 'k' })
    stage.jump(5001)
    await expect(a.cache.getOrSet('k', () => Promise.reject(new Error('the database is down')))).rejects.toThrow('down')
  })
})
