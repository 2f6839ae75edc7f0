import { expect, it } from 'vitest'
import { RedisRefusedError } from '../../../src/errors/index.js'
import { Budget } from '../../../src/redis/index.js'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { useStage } from './stage/stage.js'
import { unhandledWhile } from './unhandled.js'

// Faults there once were, each with what brought it about.

describeWithRedis('faults that served older values', () => {
  const stage = useStage()

  it('an invalidation that comes while a recovery is ending is replayed before Redis is asked', async () => {
    const a = await stage.open()
    await a.cache.set('k', 'old')
    a.link.cut()
    await a.cache.invalidate({ key: 'other' })
    const beat = a.link.holdReply('heartbeat')
    a.link.mend()
    await stage.pass(100)
    await beat.arrived
    // Its reply comes behind the one that is held.
    const invalidating = a.cache.invalidate({ key: 'k' })
    beat.release()
    await invalidating
    await stage.settled()
    expect(await a.cache.get('k')).toBeUndefined()
  })

  // Flights.joinable: neither the gate nor the last confirmation is asked, so a load is joined for as long as it runs.
  it('a load that began longer than maxStaleness ago is not joined by a process that cannot be told anything', async () => {
    const [a, b] = [await stage.open({ maxStaleness: '5s' }), await stage.open()]
    a.link.messages.isDeaf = true
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    await b.cache.invalidate({ key: 'k' })
    stage.jump(5001)
    const after = a.cache.getOrSet('k', () => 'new')
    call.succeed('old')
    await loading
    expect(await after).toBe('new')
  })

  // Flights.joinable: the message that would break the load's fence has yet to arrive, and who reads past memory is told that it need not wait for it.
  it('a call past memory does not join a load that began before an invalidation it has yet to hear of', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    a.link.messages.hold()
    expect(await b.cache.invalidate({ key: 'k' })).toHaveProperty('durable', true)
    const after = a.cache.getOrSet('k', () => 'new', { memory: false })
    call.succeed('old')
    await loading
    expect(await after).toBe('new')
    a.link.messages.release()
  })

  it('calls past memory of one turn load once', async () => {
    const a = await stage.open()
    let loads = 0
    const values = await Promise.all(Array.from({ length: 50 }, () => a.cache.getOrSet('k', () => ++loads, { memory: false })))
    expect(new Set(values)).toEqual(new Set([1]))
  })

  // Flights.beginning: what began in an earlier turn may have been read before an invalidation that this process has yet to hear of.
  it('a call past memory does not join one of an earlier turn', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load, { memory: false })
    const call = await load.called()
    a.link.messages.hold()
    expect(await b.cache.invalidate({ key: 'k' })).toHaveProperty('durable', true)
    const after = a.cache.getOrSet('k', () => 'new', { memory: false })
    call.succeed('old')
    await loading
    expect(await after).toBe('new')
    a.link.messages.release()
  })

  it('a call past memory that comes during a load waits for what that stores', async () => {
    const a = await stage.open()
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    const acquired = a.link.holdReply('acquire')
    const after = a.cache.getOrSet('k', () => 'loaded again', { memory: false })
    await acquired.arrived
    acquired.release()
    call.succeed('value')
    await loading
    expect(a.cache.peek('k')).toBe('value')
    expect(await after).toBe('value')
  })

  // store.ts: a set whose lease was lost counts as superseded, and the older value stays in Redis as if nothing had been set.
  it('a set that lost its lease leaves no older value behind', async () => {
    const a = await stage.open()
    await a.cache.set('k', 'old')
    const commit = a.link.holdCommand('commitAndAnnounce')
    const setting = a.cache.set('k', 'new')
    await commit.arrived
    await stage.drop(stage.redisKey.lease('k'))
    commit.release()
    await setting
    expect(await a.cache.get('k')).not.toBe('old')
  })

  // As above, the lease having gone to a load that was told to read past the cache and came to nothing.
  it('a set that lost its lease to a forced load that failed leaves no older value behind', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old')
    const commit = a.link.holdCommand('commitAndAnnounce')
    const setting = a.cache.set('k', 'new')
    await commit.arrived
    await expect(b.cache.getOrSet('k', () => Promise.reject(new Error('the database is down')), { bypass: 'read' })).rejects.toThrow('down')
    commit.release()
    await setting
    expect(await a.cache.get('k')).not.toBe('old')
  })

  // store.ts breaks the fences of a key when a set begins and not when it ends, though it takes round trips in between.
  it('a load without Redis that begins while a set is under way does not take its place in memory', async () => {
    const a = await stage.open()
    const commit = a.link.holdCommand('commitAndAnnounce')
    const setting = a.cache.set('k', 'new')
    await commit.arrived
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load, { redis: false })
    const call = await load.called()
    commit.release()
    await setting
    call.succeed('old')
    await loading
    expect(a.cache.peek('k')).toBe('new')
  })

  // As above: nothing takes the load out of the way of calls that begin after the set.
  it('a call that begins after a set does not join a load that began while it was under way', async () => {
    const a = await stage.open()
    const commit = a.link.holdCommand('commitAndAnnounce')
    const setting = a.cache.set('k', 'new', { memory: false })
    await commit.arrived
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load, { redis: false })
    const call = await load.called()
    commit.release()
    await setting
    const after = a.cache.getOrSet('k', () => 'new')
    call.succeed('old')
    await loading
    expect(await after).toBe('new')
  })

  // As above, with a read that found the older value in Redis and asks for the labels it carries when the set has passed it.
  it('a read that overtook a set and ends after it does not take its place in memory', async () => {
    const a = await stage.open()
    await a.cache.set('k', 'old', { tags: ['t'] })
    const seized = a.link.holdReply('seize')
    const setting = a.cache.set('k', 'new', { tags: ['t'] })
    await seized.arrived
    const reading = a.cache.get('k')
    await stage.settled()
    seized.release()
    await setting
    await reading
    expect(a.cache.peek('k')).toBe('new')
  })

  // replaceScript compares the checksum, which leaves out what `expire` zeroes.
  it('an expiry is not undone by a touch that had read the entry before', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old')
    const replace = b.link.holdCommand('replace')
    const touching = b.cache.touch('k', '5h')
    await replace.arrived
    await a.cache.expire({ key: 'k' })
    replace.release()
    await touching
    expect(await a.cache.get('k')).toBeUndefined()
  })

  // Invalidator.#drop: in a cluster the token is dropped before the change has its number. A load that reads the tokens and the number in between takes the new token for
  // one from before the change.
  it('in a cluster, what a loader names is not stored when it was invalidated and not yet announced', async () => {
    const [a, b] = [await stage.open({ kind: 'cluster' }), await stage.open({ kind: 'cluster' })]
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    const announce = b.link.holdCommand('announce')
    const invalidating = b.cache.invalidate({ tag: 't' })
    await announce.arrived
    call.ctx.tags('t')
    call.succeed('old')
    await loading
    announce.release()
    await invalidating
    expect(await b.cache.get('k')).toBeUndefined()
  })
})

describeWithRedis('faults in crashes, waits and counts', () => {
  const stage = useStage()

  // Bus.#onMessage: a message may hold a pattern that globMatcher refuses, and a connection rethrows what a handler throws where nothing can catch it.
  it('a message with a pattern that is none does no harm', async () => {
    const a = await stage.open()
    const number = Number(await stage.redis.cli('GET', stage.redisKey.sequence()))
    const channel = stage.redisKey.sequence().replace(/:seq$/, '')
    await stage.redis.cli('PUBLISH', channel, `${number + 1}|["somebody",0,"tiercel",[],[],"["]`)
    await stage.settled()
    expect(a.link.faults.splice(0)).toEqual([])
  })

  // Bus.listen: when the announcement fails, the promise of hearing it is left alone, and its rejection ends the process.
  it('a greeting that Redis refuses leaves no rejection unhandled', async () => {
    const a = await stage.open()
    a.link.loseSubscription()
    a.link.beforeStart = (name) => (name === 'announce' ? Promise.reject(new RedisRefusedError('permission', 'this user may not publish')) : undefined)
    a.link.resubscribe()
    await stage.settled()
    const unhandled = await unhandledWhile(async () => {
      await a.remote.bus.listen(100).catch(() => {})
      await stage.pass(101)
    })
    expect(unhandled).toEqual([])
  })

  // Invalidator.invalidate gives each piece of a change a deadline of its own.
  it('an invalidation of many keys waits for Redis no longer than one deadline', async () => {
    const a = await stage.open({ deadline: 250 })
    a.link.beforeReply = () => new Promise((resolve) => setTimeout(resolve, 200))
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`)
    expect(await stage.timeOf(a.cache.deleteMany(keys))).toBeLessThanOrEqual(260)
  })

  // Budget keeps one start for all that is under way, and each that ends takes its time off.
  it('what is asked at the same time is counted once', async () => {
    const budget = new Budget(250)
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, 20))
    const all = Promise.all(Array.from({ length: 20 }, () => budget.spend(work)))
    await stage.pass(20)
    await all
    expect(budget.start()).toBe(230)
  })

  // entries.ts: who gave up waiting for the reply does not know that the lease is its own, and nobody gives it back.
  it('a lease that came too late is given back', async () => {
    const a = await stage.open({ deadline: 250 })
    const acquired = a.link.holdReply('acquire')
    const loading = a.cache.getOrSet('k', () => 'value')
    await acquired.arrived
    await stage.pass(251)
    acquired.release()
    await loading
    await stage.settled()
    expect(await stage.redis.cli('EXISTS', stage.redisKey.lease('k'))).toBe(0)
  })

  // acquireScript: SET NX gives way to whatever is under the name of the lease. Each load waits ten seconds for it, and may not store.
  it('something foreign under the name of a lease keeps no load waiting', async () => {
    const a = await stage.open()
    await stage.redis.cli('RPUSH', stage.redisKey.lease('k'), 'foreign')
    const acquired = a.link.holdReply('acquire')
    const loading = a.cache.getOrSet('k', () => 'value')
    await acquired.arrived
    acquired.release()
    await stage.settled()
    // Before it looks a second time it is told that it has waited long enough.
    stage.jump(10_001)
    await loading
    expect(await stage.redis.cli('EXISTS', stage.redisKey.entry('k'))).toBe(1)
  })

  // claim.ts goes on asking for the lease, and then loads, though the only caller has gone and the flight has ended.
  it('a load that everybody gave up while another process was loading is not begun', async () => {
    const { a, here } = await givenUpWhileWaiting()
    expect(here.calls).toHaveLength(0)
    await a.cache.close()
  })

  // As above: what the flight held was given back when it ended, and the lease came after that.
  it('a lease that is granted to a load that everybody gave up is given back', async () => {
    const { here } = await givenUpWhileWaiting()
    for (const call of here.calls) call.fail(new Error('the database is down'))
    await stage.settled()
    expect(await stage.redis.cli('EXISTS', stage.redisKey.lease('k'))).toBe(0)
  })

  async function givenUpWhileWaiting() {
    const [a, b] = [await stage.open(), await stage.open()]
    const there = heldLoader()
    const loadingThere = b.cache.getOrSet('k', there)
    const call = await there.called()
    const giveUp = new AbortController()
    const here = heldLoader()
    const first = a.link.holdReply('acquire')
    const loadingHere = a.cache.getOrSet('k', here, { signal: giveUp.signal })
    await first.arrived
    giveUp.abort()
    await expect(loadingHere).rejects.toThrow()
    call.fail(new Error('the database is down'))
    await expect(loadingThere).rejects.toThrow('down')
    await stage.settled()
    const second = a.link.holdReply('acquire')
    first.release()
    // It would ask again within 30 ms. Whether it does is not what is tested.
    const asksAgain = await Promise.race([second.arrived.then(() => true), stage.realPause(500).then(() => false)])
    second.release()
    await stage.settled()
    return { a, here, asksAgain }
  }

  // store.ts announces a batch in one message, however long, and longer ones than a megabyte are not understood: all others forget everything.
  it('a large batch makes others forget no more than its keys', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await b.cache.set('mine', 'value')
    const long = 'x'.repeat(5000)
    await a.cache.setMany(Array.from({ length: 250 }, (_, i) => [`${long}${i}`, i]))
    expect(b.cache.peek('mine')).toBe('value')
  })
})
