import { expect, it, vi } from 'vitest'
import { heldLoader } from '../../behaviour/held-loader.js'
import type { Loader } from '../../../src/index.js'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Process } from './stage/stage.js'

for (const kind of ['standalone', 'cluster'] as const) {
  describeWithRedis(`loads and changes that meet between processes (${kind})`, () => {
    const stage = useStage()
    const open = (options = {}) => stage.open({ kind, ...options })

    it.for(['key', 'tag', 'room', 'pattern', 'all'] as const)('a load that began before a peer invalidated its %s is nowhere kept', async (how) => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load, { tags: ['t'], room: 'r' })
      const call = await load.called()
      await b.cache.invalidate({ key: { key: 'k' }, tag: { tag: 't' }, room: { room: 'r' }, pattern: { pattern: 'k*' }, all: { all: true } }[how])
      call.succeed('old')
      expect(await loading).toBe('old')
      expect(a.cache.peek('k')).toBeUndefined()
      expect(await b.cache.get('k')).toBeUndefined()
    })

    it.for(['key', 'tag', 'room', 'pattern', 'all'] as const)('and neither is it in Redis when the message about the %s comes late', async (how) => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load, { tags: ['t'], room: 'r' })
      const call = await load.called()
      a.link.messages.hold()
      await b.cache.invalidate({ key: { key: 'k' }, tag: { tag: 't' }, room: { room: 'r' }, pattern: { pattern: 'k*' }, all: { all: true } }[how])
      call.succeed('old')
      await loading
      expect(await b.cache.get('k')).toBeUndefined()
      a.link.messages.release()
      expect(a.cache.peek('k')).toBeUndefined()
    })

    it('the absence that a load found is not kept once a peer has made the thing', async () => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader<null>()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      await b.cache.set('k', 'made')
      call.succeed(null)
      await loading
      expect(await a.cache.get('k')).toBe('made')
    })

    it('a reply of Redis that is read after the message about it fills no memory', async () => {
      const [a, b] = [await open(), await open()]
      await b.cache.set('k', 'old')
      const replied = a.link.holdReply('MGET')
      const reading = a.cache.get('k')
      await replied.arrived
      await b.cache.invalidate({ key: 'k' })
      replied.release()
      expect(await reading).toBe('old')
      expect(a.cache.peek('k')).toBeUndefined()
    })

    it.for(['tag', 'all'] as const)('a reply of Redis that is read before the message about its %s fills memory no longer than until that', async (how) => {
      const [a, b] = [await open(), await open()]
      await b.cache.set('k', 'old', { tags: ['t'] })
      a.link.messages.hold()
      const replied = a.link.holdReply('MGET')
      const reading = a.cache.get('k')
      await replied.arrived
      await b.cache.invalidate(how === 'tag' ? { tag: 't' } : { all: true })
      replied.release()
      await reading
      a.link.messages.release()
      expect(a.cache.peek('k')).toBeUndefined()
    })

    it('a load whose lease ended while its process was stopped stores nothing over a newer value', async () => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      await stage.drop(stage.redisKey.lease('k'))
      expect(await b.cache.getOrSet('k', () => 'new')).toBe('new')
      call.succeed('old')
      await loading
      expect(a.cache.peek('k')).toBeUndefined()
      expect(await a.cache.get('k')).toBe('new')
    })

    it('a set takes the place of what a peer is loading', async () => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      expect(await b.cache.set('k', 'new')).toBe(true)
      call.succeed('old')
      await loading
      expect(await a.cache.get('k')).toBe('new')
      expect(await b.cache.get('k', { memory: false })).toBe('new')
    })

    it.for(['first', 'last'] as const)('of two sets all processes have the same, though the one that asked %s ends first', async (which) => {
      const [a, b, c] = [await open(), await open(), await open()]
      const command = kind === 'cluster' ? 'commit' : 'commitAndAnnounce'
      const commits = { first: a.link.holdCommand(command), last: b.link.holdCommand(command) }
      const setFirst = a.cache.set('k', 'of a')
      await commits.first.arrived
      const setLast = b.cache.set('k', 'of b')
      await commits.last.arrived
      commits[which].release()
      await (which === 'first' ? setFirst : setLast)
      commits.first.release()
      commits.last.release()
      expect(await Promise.all([setFirst, setLast])).toEqual([false, true])
      for (const { cache } of [a, b, c]) expect(await cache.get('k')).toBe('of b')
    })

    it('a set that a peer invalidated before it was stored is not kept', async () => {
      const [a, b] = [await open(), await open()]
      const commit = a.link.holdCommand(kind === 'cluster' ? 'commit' : 'commitAndAnnounce')
      const setting = a.cache.set('k', 'old')
      await commit.arrived
      await b.cache.invalidate({ key: 'k' })
      commit.release()
      expect(await setting).toBe(false)
      expect(await a.cache.get('k')).toBeUndefined()
    })

    it('what a loader names is checked against messages that have yet to arrive', async () => {
      const [a, b] = [await stage.open(), await stage.open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      a.link.messages.hold()
      await b.cache.invalidate({ tag: 't' })
      call.ctx.tags('t')
      call.succeed('old')
      await stage.settled()
      expect(a.link.sent).not.toContain('commit')
      a.link.messages.release()
      expect(await loading).toBe('old')
      expect(await b.cache.get('k')).toBeUndefined()
      expect(a.cache.peek('k')).toBeUndefined()
    })

    it('what a loader names is not stored when messages of the time before it was named never arrive', async () => {
      const [a, b] = [await open({ deadline: '1s' }), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      a.link.messages.isDeaf = true
      await b.cache.invalidate({ tag: 't' })
      call.ctx.tags('t')
      call.succeed('old')
      await stage.settled()
      await stage.pass(1001)
      expect(await loading).toBe('old')
      expect(await b.cache.get('k')).toBeUndefined()
    })

    it('what a loader names is stored when nothing was said of it', async () => {
      const [a, b] = [await open(), await open()]
      await a.cache.getOrSet('k', (ctx) => {
        ctx.tags('t')
        return 'value'
      })
      expect(await b.cache.get('k')).toBe('value')
      await b.cache.invalidate({ tag: 't' })
      expect(a.cache.peek('k')).toBeUndefined()
      expect(await a.cache.get('k')).toBeUndefined()
    })

    it('everything forgotten at the top is forgotten in every namespace below, what is being loaded there too', async () => {
      const [a, b] = [await open(), await open()]
      const deep = { a: a.cache.namespace('one').namespace('two'), b: b.cache.namespace('one').namespace('two') }
      await deep.a.set('kept', 'old')
      const load = heldLoader()
      const loading = deep.a.getOrSet('k', load)
      const call = await load.called()
      await b.cache.invalidate({ all: true })
      call.succeed('old')
      await loading
      expect([deep.a.peek('kept'), deep.a.peek('k')]).toEqual([undefined, undefined])
      expect([await deep.b.get('kept'), await deep.b.get('k')]).toEqual([undefined, undefined])
    })

    it('what is forgotten in a namespace stays in those above and beside it', async () => {
      const [a, b] = [await open(), await open()]
      await a.cache.set('k', 'above')
      await a.cache.namespace('beside').set('k', 'beside')
      await a.cache.namespace('one').set('k', 'old')
      await b.cache.namespace('one').invalidate({ all: true })
      expect([await b.cache.get('k'), await b.cache.namespace('beside').get('k'), await b.cache.namespace('one').get('k')]).toEqual(['above', 'beside', undefined])
    })

    it.for(['key', 'tag', 'all'] as const)('what one process expired by %s serves as grace in another, and no longer once a third has invalidated it', async (how) => {
      const [a, b, c] = [await open({ grace: '1h' }), await open({ grace: '1h' }), await open({ grace: '1h' })]
      const down = new Error('the database is down')
      const target = { key: { key: 'k' }, tag: { tag: 't' }, all: { all: true } }[how]
      await a.cache.set('k', 'old', { tags: ['t'] })
      await b.cache.expire(target)
      expect(await a.cache.get('k')).toBeUndefined()
      expect(await c.cache.getOrSet('k', () => Promise.reject(down), { tags: ['t'] })).toBe('old')
      await b.cache.invalidate(target)
      for (const { cache } of [a, b, c]) await expect(cache.getOrSet('k', () => Promise.reject(down), { tags: ['t'] })).rejects.toBe(down)
    })

    it('no two keys are ever one, whatever they are called', async () => {
      const [a, b] = [await open(), await open()]
      const keys = ['k', 'K', '{k}', '%7Bk%7D', 'k}:v', '}k', 'k:l', '@k', 't:k', 'g', '%23', 'k'.repeat(300), 'k'.repeat(301), 'é', 'e\u0301']
      await a.cache.setMany(keys.map((key) => [key, `value of ${key}`]))
      const found = await b.cache.getMany(keys)
      expect([...found]).toEqual(keys.map((key) => [key, `value of ${key}`]))
    })

    it('a load runs once for many processes', async () => {
      const all = await Promise.all(Array.from({ length: 4 }, () => open()))
      const load = vi.fn(() => stage.settled().then(() => 'value'))
      const values = await Promise.all(all.flatMap(({ cache }) => Array.from({ length: 10 }, () => cache.getOrSet('k', load))))
      expect(new Set(values)).toEqual(new Set(['value']))
      expect(load).toHaveBeenCalledTimes(1)
    })

    it('who waits for a load whose process died loads itself when the lease has ended', async () => {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      const waits = b.link.holdReply('acquire')
      const waiting = b.cache.getOrSet('k', () => 'own')
      await waits.arrived
      await stage.drop(stage.redisKey.lease('k'))
      waits.release()
      expect(await waiting).toBe('own')
      call.succeed('late')
      await loading
      expect(await a.cache.get('k')).toBe('own')
    })

    /** Each has asked for the key and been told that another loads it. */
    const waitingFor = (waiters: readonly Process[], load: Loader<string>) =>
      Promise.all(
        waiters.map(async ({ cache, link }) => {
          const told = link.holdReply('acquire')
          const value = cache.getOrSet('k', load)
          await told.arrived
          told.release()
          return { value }
        }),
      )

    /** The lease does not end by itself, however slow the machine is: who has it renews it by a timer of the process. */
    const hold = (key: string) => stage.redis.cli('PEXPIRE', stage.redisKey.lease(key), '60000')

    it.for(['skipped', 'undefined'] as const)('who waits for a load that is %s loads at once, and not after the others who wait', { timeout: 20_000 }, async (how) => {
      const [a, ...others] = await Promise.all(Array.from({ length: 4 }, () => open()))
      const load = heldLoader()
      const loading = a?.cache.getOrSet('k', load)
      const first = await load.called()
      await hold('k')
      const waiting = await waitingFor(others, load)
      first.succeed(how === 'skipped' ? first.ctx.skip('first') : (undefined as never))
      await loading
      await load.called(2)
      await hold('k')
      const calls = await Promise.all([load.called(2), load.called(3), load.called(4)])
      for (const [i, call] of calls.entries()) call.succeed(`value ${i}`)
      const values = await Promise.all(waiting.map(({ value }) => value))
      expect(values.toSorted()).toEqual(['value 0', 'value 1', 'value 2'])

      // One of them had the right to store.
      expect(values).toContain(await a?.cache.get('k'))
    })

    it('who comes after a load that was skipped loads for all, and stores', async () => {
      const [a, b, c] = [await open(), await open(), await open()]
      const load = heldLoader()
      expect(await a.cache.getOrSet('k', (ctx) => ctx.skip('nothing'))).toBe('nothing')
      const loading = b.cache.getOrSet('k', load)
      const call = await load.called()
      await hold('k')
      const [waiting] = await waitingFor([c], load)
      const stillWaits = c.link.holdReply('acquire')
      await stillWaits.arrived
      call.succeed('value')
      stillWaits.release()
      expect(await Promise.all([loading, waiting?.value, a.cache.getOrSet('k', load)])).toEqual(['value', 'value', 'value'])
      expect(load.calls).toHaveLength(1)
    })

    it('who waits for a load that fails loads after the others who wait, so that what fails is not asked by all', async () => {
      const [a, b, c] = [await open(), await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load).catch((error: Error) => error.message)
      const first = await load.called()
      await hold('k')
      const waiting = await waitingFor([b, c], load)
      first.fail(new Error('down'))
      expect(await loading).toBe('down')
      const second = await load.called(2)
      await hold('k')
      const stillWaits = [b.link.holdReply('acquire'), c.link.holdReply('acquire')]
      await Promise.race(stillWaits.map(({ arrived }) => arrived))
      for (const { release } of stillWaits) release()
      second.succeed('value')
      expect(await Promise.all(waiting.map(({ value }) => value))).toEqual(['value', 'value'])
      expect(load.calls).toHaveLength(2)
    })

    it('a call that reads past the cache is not given what is in Redis', async () => {
      const a = await open()
      await a.cache.set('k', 'old')
      expect(await a.cache.getOrSet('k', () => 'new', { bypass: 'read' })).toBe('new')
    })

    it('an expiry by pattern counts each value once', async () => {
      const a = await open()
      await a.cache.setMany([
        ['k1', 1],
        ['k2', 2],
      ])
      expect(await a.cache.expire({ pattern: 'k*' })).toEqual({ durable: true, count: 2 })
    })
  })
}
