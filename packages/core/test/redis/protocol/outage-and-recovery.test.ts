import { expect, it, vi } from 'vitest'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Process } from './stage/stage.js'

describeWithRedis('outage and recovery', () => {
  const stage = useStage()

  /** Recovers, however long the pause before its next attempt. */
  async function recovered({ link, remote }: Process): Promise<void> {
    link.mend()
    for (let time = 0; time < 100 && !remote.isUp; time++) await stage.pass(100)
    expect(remote.state).toBe('up')
  }

  it('a process that is cut off says so, forgets at once, and Redis is told when it can be', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old', { tags: ['t'] })
    a.link.cut()
    expect(await a.cache.invalidate({ tag: 't' })).toEqual({ durable: false })
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
    await recovered(a)
    expect(await b.cache.get('k')).toBeUndefined()
    expect(a.remote.journal.size).toBe(0)
  })

  it('a process that comes back hears again before it tells what others missed, and asks for values last', async () => {
    const a = await stage.open()
    await a.cache.set('k', 'old')
    a.link.cut()
    a.link.loseSubscription()
    await a.cache.invalidate({ key: 'k' })
    a.link.sent.length = 0
    a.link.mend()
    a.link.resubscribe()
    const replayed = a.link.holdReply('dropAndAnnounce')
    await stage.timeOf(replayed.arrived)
    // Not before it has replayed what Redis was not told.
    expect(await a.cache.get('k')).toBeUndefined()
    expect(a.link.sent).not.toContain('MGET')
    replayed.release()
    await recovered(a)
    expect(await a.cache.get('k')).toBeUndefined()
    const steps = ['announce', 'dropAndAnnounce', 'heartbeat', 'MGET']
    expect([...new Set(a.link.sent)].filter((name) => steps.includes(name))).toEqual(steps)
  })

  it('what could not be replayed is replayed at the next attempt', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.setMany([
      ['k', 'old'],
      ['l', 'old'],
    ])
    a.link.cut()
    await a.cache.invalidate({ pattern: 'k*' })
    await a.cache.invalidate({ pattern: 'l*' })
    a.link.mend()
    let scans = 0
    const broken = new Promise<void>((resolve) => {
      a.link.beforeStart = (name) => {
        if (name !== 'SCAN' || ++scans < 3) return undefined
        resolve()
        return Promise.reject(new Error('the connection is lost'))
      }
    })
    await stage.timeOf(broken)
    await stage.settled()
    expect([a.remote.state, a.remote.journal.size]).toEqual(['outage', 1])
    a.link.beforeStart = () => undefined
    await recovered(a)
    expect([await b.cache.get('k'), await b.cache.get('l')]).toEqual([undefined, undefined])
  })

  it('a load that began in an outage keeps nothing after it', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    a.link.cut()
    await a.cache.invalidate({ key: 'other' })
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    await b.cache.set('k', 'new')
    await recovered(a)
    call.succeed('old')
    await loading
    expect(await a.cache.get('k')).toBe('new')
  })

  it('a load that began before an outage stores nothing after it', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    a.link.cut()
    await a.cache.invalidate({ key: 'k' })
    await recovered(a)
    call.succeed('old')
    await loading
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, undefined])
  })

  it('two processes apart each keep what they load, and neither writes it over the other when they meet again', async () => {
    const [a, b, c] = [await stage.open(), await stage.open(), await stage.open()]
    for (const { link } of [a, b]) {
      link.cut()
      link.loseSubscription()
    }
    await a.cache.set('k', 'of a')
    await b.cache.set('k', 'of b')
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual(['of a', 'of b'])
    await c.cache.set('k', 'newest')
    b.link.resubscribe()
    await recovered(b)
    a.link.resubscribe()
    await recovered(a)
    // A set that Redis was not told of is a value to forget, and nobody knows which was the newest.
    for (const { cache } of [a, b, c]) expect(await cache.get('k')).toBeUndefined()
    expect(await a.cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    expect([await b.cache.get('k'), await c.cache.get('k')]).toEqual(['loaded', 'loaded'])
  })

  it('more than can be remembered in an outage becomes everything', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old')
    await b.cache.namespace('below').set('k', 'old')
    a.link.cut()
    await a.cache.deleteMany(Array.from({ length: 6000 }, (_, i) => `first ${i}`))
    await a.cache.invalidate({ key: 'k' })
    await a.cache.deleteMany(Array.from({ length: 6000 }, (_, i) => `then ${i}`))
    expect(a.remote.journal.size).toBeLessThanOrEqual(10_001)
    await recovered(a)
    expect([await b.cache.get('k'), await b.cache.namespace('below').get('k')]).toEqual([undefined, undefined])
  })

  it('an expiry in an outage does not weaken the invalidation before it', async () => {
    const [a, b] = [await stage.open({ grace: '1h' }), await stage.open({ grace: '1h' })]
    await a.cache.set('k', 'old', { tags: ['t'] })
    a.link.cut()
    await a.cache.invalidate({ tag: 't' })
    await a.cache.expire({ tag: 't' })
    await recovered(a)
    await expect(b.cache.getOrSet('k', () => Promise.reject(new Error('down')), { tags: ['t'] })).rejects.toThrow('down')
  })

  it('an invalidation whose reply was lost is made again, and does no harm by that', async () => {
    const [a, b] = [await stage.open({ deadline: '1s' }), await stage.open()]
    await a.cache.set('k', 'old')
    const reply = a.link.holdReply('dropAndAnnounce')
    const invalidating = a.cache.invalidate({ key: 'k' })
    await reply.arrived
    await b.cache.set('k', 'new')
    await stage.pass(1001)
    expect((await invalidating).durable).toBe(false)
    reply.release()
    await recovered(a)
    expect(await b.cache.getOrSet('k', () => 'newer')).toBe('newer')
    expect(await a.cache.get('k')).toBe('newer')
  })

  it.for(['one', 'two at once'] as const)('what was invalidated after the dump that Redis is started again from is forgotten when %s notices', async (howMany) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old')
    await stage.redis.cli('SAVE')
    await a.cache.invalidate({ key: 'k' })
    for (const { link } of [a, b]) {
      link.cut()
      link.loseSubscription()
    }
    // Both find out that Redis is away.
    await Promise.all([a, b].map(({ cache }) => cache.invalidate({ key: 'other' })))
    await stage.restart()
    for (const { link } of [a, b]) link.resubscribe()
    const notes = [a, b].map(({ link }) => link.holdCommand('noteRun'))
    for (const { link } of [a, b]) link.mend()
    // However many tries were made while Redis was started.
    await stage.timeOf(Promise.all(notes.map(({ arrived }) => arrived)))
    notes[0]?.release()
    if (howMany === 'one') await recovered(a)
    notes[1]?.release()
    await recovered(a)
    await recovered(b)
    expect([await a.cache.get('k'), await b.cache.get('k')]).toEqual([undefined, undefined])
    await a.cache.set('k', 'new')
    expect(await b.cache.get('k')).toBe('new')
  })

  it.for(['standalone', 'cluster'] as const)('who comes first to an empty Redis, %s, tells nobody to forget; without the note of the run but with entries, everybody', async (kind) => {
    const a = await stage.open({ kind })
    await a.cache.set('k', 'here', { redis: false })
    await stage.drop(stage.redisKey.run())
    await stage.open({ kind })
    await stage.settled()
    expect(a.cache.peek('k')).toBe('here')
    await a.cache.set('l', 'in Redis')
    await stage.drop(stage.redisKey.run())
    const c = await stage.open({ kind })
    await stage.settled()
    expect(a.cache.peek('k')).toBeUndefined()
    expect(await c.cache.get('l')).toBeUndefined()
  })

  // Remote asks which run it is with every heartbeat, and not when a connection has been made again: a process that had nothing to ask while Redis was away reads first.
  it('a process that slept through a restart reads nothing from before it', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await b.cache.set('k', 'old')
    await stage.redis.cli('SAVE')
    await b.cache.invalidate({ key: 'k' })
    await stage.pass(15_000)
    await stage.restart()
    a.link.loseSubscription()
    a.link.resubscribe()
    await stage.settled()
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it('nor does one that is told by the connection for commands only', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await b.cache.set('k', 'old')
    await stage.redis.cli('SAVE')
    await b.cache.invalidate({ key: 'k' })
    await stage.restart()
    a.link.newest++
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it('nor does one that waits meanwhile for what another one is loading', async () => {
    const [a, b] = [await stage.open(), await stage.open({ deadline: '1m' })]
    await b.cache.set('k', 'old')
    await stage.redis.cli('SAVE')
    await b.cache.invalidate({ key: 'k' })
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    const answer = b.link.holdReply('acquire')
    const waiting = b.cache.getOrSet('k', () => 'new')
    await answer.arrived
    a.link.cut()
    await stage.restart()
    b.link.loseSubscription()
    b.link.resubscribe()
    answer.release()
    await stage.timeOf(waiting)
    expect(await waiting).toBe('new')
    call.succeed('new')
    await loading
  })

  it('nor does one that is just asking whether it is the same server as before', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await b.cache.set('k', 'old')
    await stage.redis.cli('SAVE')
    await b.cache.invalidate({ key: 'k' })
    const breaks = () => {
      a.link.loseSubscription()
      a.link.resubscribe()
    }
    const answer = a.link.holdReply('heartbeat')
    breaks()
    const reading = a.cache.get('k')
    await answer.arrived
    await stage.restart()
    breaks()
    answer.release()
    expect(await reading).toBeUndefined()
    expect(await a.cache.get('k')).toBeUndefined()
  })

  it("a value's time is that of Redis, however far clocks of processes are apart", async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'value', { ttl: '1h', grace: '1h' })
    expect(await b.cache.ttl('k')).toBeGreaterThan(3_590_000)
    const now = vi.spyOn(Date, 'now').mockImplementation(() => 0)
    const c = await stage.open()
    expect(await c.cache.ttl('k')).toBeGreaterThan(3_590_000)
    now.mockRestore()
    // Two hours ago by this process's reckoning, until Redis tells it otherwise.
    stage.jump(7_200_000)
    const d = await stage.open()
    expect(await d.cache.ttl('k')).toBeGreaterThan(3_590_000)
  })

  it('a call waits for Redis no longer than one deadline, loading and storing together', async () => {
    const a = await stage.open({ deadline: 250 })
    a.link.beforeReply = () => new Promise((resolve) => setTimeout(resolve, 100))
    expect(await stage.timeOf(a.cache.getOrSet('k', () => 'value'))).toBeLessThanOrEqual(260)
  })
})
