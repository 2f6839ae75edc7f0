import { expect, it, vi } from 'vitest'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Stage } from './stage/stage.js'

/** Every key of Tiercel's own that a cache with one labelled entry has. */
const own: Record<string, (stage: Stage) => string> = {
  'entry': ({ redisKey }) => redisKey.entry('k'),
  'lease': ({ redisKey }) => redisKey.lease('k'),
  'token of its tag': ({ redisKey }) => redisKey.token('tt'),
  'token of its room': ({ redisKey }) => redisKey.token('rr'),
  'token of its namespace': ({ redisKey }) => redisKey.token('g'),
  'counter of changes': ({ redisKey }) => redisKey.sequence(),
  'note of the run': ({ redisKey }) => redisKey.run(),
}

describeWithRedis('keys that Redis loses', () => {
  const stage = useStage()
  const labels = { tags: ['t'], room: 'r' }

  it.for(Object.keys(own))('losing the %s brings nothing back that was invalidated before', async (name) => {
    const [a, b] = [await stage.open(), await stage.open()]
    for (const how of [{ key: 'k' }, { tag: 't' }, { room: 'r' }, { all: true }, { pattern: 'k*' }]) {
      await a.cache.set('k', 'old', labels)
      await b.cache.invalidate(how)
      await stage.drop(own[name]?.(stage) ?? '')
      expect(await a.cache.get('k', { memory: false })).toBeUndefined()
      expect(await b.cache.getOrSet('k', () => 'new', labels)).toBe('new')
    }
  })

  it.for(Object.keys(own))('losing the %s during a load keeps nothing from being loaded', async (name) => {
    const [a, b] = [await stage.open(), await stage.open()]
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load, labels)
    const call = await load.called()
    await stage.drop(own[name]?.(stage) ?? '')
    call.succeed('value')
    expect(await loading).toBe('value')
    expect(await b.cache.getOrSet('k', () => 'value', labels)).toBe('value')
  })

  it.for(['token of its tag', 'token of its room', 'token of its namespace'])('an entry whose %s was lost and made again by somebody else is a miss', async (name) => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old', labels)
    await stage.drop(own[name]?.(stage) ?? '')
    await b.cache.set('other', 'value', labels)
    expect(await b.cache.get('k')).toBeUndefined()
  })

  it('an expired token that is lost takes the grace with it', async () => {
    const [a, b] = [await stage.open({ grace: '1h' }), await stage.open({ grace: '1h' })]
    await a.cache.set('k', 'old', labels)
    await a.cache.expire({ tag: 't' })
    await stage.drop(stage.redisKey.token('tt'))
    await expect(b.cache.getOrSet('k', () => Promise.reject(new Error('down')), labels)).rejects.toThrow('down')
  })

  it('a load whose labels come last does not wait for the number of a counter that is gone', async () => {
    const a = await stage.open()
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    a.link.messages.hold()
    await stage.redis.cli('SET', stage.redisKey.sequence(), 2 ** 50)
    call.ctx.tags(['t'])
    call.succeed('value')
    await stage.settled()
    await stage.redis.cli('SET', stage.redisKey.sequence(), 5)
    await stage.pass(1000)
    a.link.messages.release()
    expect(await loading).toBe('value')
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('nor for one that it read before the counter was lost', async () => {
    const a = await stage.open()
    const b = await stage.open()
    const load = heldLoader()
    const loading = a.cache.getOrSet('k', load)
    const call = await load.called()
    const reply = a.link.holdReply('GET')
    await stage.redis.cli('SET', stage.redisKey.sequence(), 2 ** 50)
    call.ctx.tags(['t'])
    call.succeed('value')
    await reply.arrived
    await stage.redis.cli('SET', stage.redisKey.sequence(), 5)
    await b.cache.invalidate({ key: 'other' })
    reply.release()
    expect(await loading).toBe('value')
    expect(a.cache.peek('k')).toBeUndefined()
  })

  it('when all of it is lost at once, everything is loaded again and nothing fails', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    await a.cache.set('k', 'old', labels)
    await stage.redis.cli('FLUSHALL')
    expect(await b.cache.getOrSet('k', () => 'new', labels)).toBe('new')
    await b.cache.invalidate({ key: 'k' })
    expect(a.cache.peek('k')).toBeUndefined()
    const load = vi.fn(() => 'newer')
    expect(await a.cache.getOrSet('k', load, labels)).toBe('newer')
    expect(await b.cache.get('k')).toBe('newer')
  })
})
