import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, it, vi } from 'vitest'
import { createCache, type CacheEvents } from '../../../src/index.js'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Process } from './stage/stage.js'

const audit = { sample: 1, after: '2s' } as const
const never = () => Promise.reject(new Error('nothing should be loaded'))

describeWithRedis('the audit', () => {
  const stage = useStage()

  /** The message that says that `k` is `new` does not arrive, and the next one does. */
  async function loseTheNews({ a, b }: { a: Process; b: Process }): Promise<void> {
    await a.cache.set('k', 'old')
    a.link.messages.hold()
    await b.cache.set('k', 'new')
    await b.cache.invalidate({ key: 'other' })
    a.link.messages.loseOne()
    a.link.messages.release()
  }

  async function twoLooks(): Promise<void> {
    await stage.pass(2000)
    await stage.pass(2000)
  }

  it('finds what memory goes on to serve when a message was lost and nobody noticed', async () => {
    const [a, b] = [await stage.open({ audit, without: ['sequence'] }), await stage.open()]
    const told: CacheEvents['disagreement'][] = []
    const published: unknown[] = []
    const onMessage = (message: unknown) => void published.push(message)
    a.cache.on('disagreement', (event) => told.push(event))
    subscribe('tiercel:disagreement', onMessage)
    await loseTheNews({ a, b })
    expect(await a.cache.get('k')).toBe('old')
    await twoLooks()
    expect(a.cache.stats().redis).toMatchObject({ audited: 1, disagreements: 1 })
    unsubscribe('tiercel:disagreement', onMessage)
    expect(told).toEqual([{ namespace: 'tiercel', key: 'k' }])
    expect(published).toEqual(told)
  })

  it('finds nothing after the same with every mechanism in its place', async () => {
    const [a, b] = [await stage.open({ audit }), await stage.open()]
    await loseTheNews({ a, b })
    expect(await a.cache.get('k')).toBe('new')
    expect(await a.cache.get('k')).toBe('new')
    await twoLooks()
    expect(a.cache.stats().redis).toMatchObject({ audited: 1, disagreements: 0 })
  })

  it('does not count what is on its way here', async () => {
    const [a, b] = [await stage.open({ audit }), await stage.open()]
    await a.cache.set('k', 'old')
    expect(await a.cache.get('k')).toBe('old')
    a.link.messages.hold()
    await b.cache.set('k', 'new')
    await stage.tick(2000)
    a.link.messages.release()
    await twoLooks()
    expect(a.cache.stats().redis).toMatchObject({ audited: 0, disagreements: 0 })
  })

  it('does not count what a cluster has stored and not told yet', async () => {
    const [a, b] = [await stage.open({ audit, kind: 'cluster' }), await stage.open({ kind: 'cluster' })]
    await a.cache.set('k', 'old')
    await a.cache.get('k')
    const telling = b.link.holdCommand('announce')
    const setting = b.cache.set('k', 'new')
    await telling.arrived
    await stage.pass(2000)
    telling.release()
    await setting
    await stage.pass(2000)
    expect(a.cache.stats().redis).toMatchObject({ audited: 1, disagreements: 0 })
  })

  it('does not count what has changed here after it was served', async () => {
    const a = await stage.open({ audit })
    await a.cache.set('k', 'old')
    await a.cache.get('k')
    await a.cache.set('k', 'new')
    await twoLooks()
    expect(a.cache.stats().redis).toMatchObject({ audited: 0, disagreements: 0 })
  })

  it('takes a value for the same that has only been through Redis', async () => {
    const a = await stage.open({ audit })
    class Point {
      x = 1
    }
    await a.cache.set('rich', { at: new Date(0), ids: new Set([1n]), point: new Point(), none: undefined }, { tags: ['t'], room: 'r' })
    await a.cache.set('null', null)
    await a.cache.namespace('below').set('k', new Map([[1, Buffer.from('x')]]))
    await Promise.all([a.cache.get('rich'), a.cache.get('null'), a.cache.namespace('below').get('k')])
    await twoLooks()
    expect(a.cache.stats().redis).toMatchObject({ audited: 3, disagreements: 0 })
  })

  it('tells of a value that somebody changed in memory', async () => {
    const a = await stage.open({ audit })
    const list = [1]
    await a.cache.set('k', list)
    await a.cache.get('k')
    list.push(2)
    await twoLooks()
    expect(a.cache.stats().redis?.disagreements).toBe(1)
  })

  it('follows sixteen hits at a time and no more', async () => {
    const a = await stage.open({ audit })
    for (let i = 0; i < 40; i++) await a.cache.set(`k${i}`, i)
    for (let i = 0; i < 40; i++) expect(a.cache.peek(`k${i}`)).toBe(i)
    for (let i = 0; i < 40; i++) await a.cache.getOrSet(`k${i}`, never)
    await stage.pass(2000)
    expect(a.cache.stats().redis?.audited).toBe(16)
    for (let i = 0; i < 40; i++) await a.cache.getOrSet(`k${i}`, never)
    await stage.pass(2000)
    expect(a.cache.stats().redis?.audited).toBe(32)
  })

  it('asks nothing of a Redis that is away', async () => {
    const a = await stage.open({ audit })
    await a.cache.set('k', 1)
    await a.cache.get('k')
    a.link.cut()
    await a.cache.invalidate({ key: 'other' })
    await stage.tick(2000)
    expect(a.cache.stats().redis).toMatchObject({ audited: 0, disagreements: 0 })
  })

  it('leaves nothing behind when the cache is closed', async () => {
    const a = await stage.open({ audit })
    await a.cache.set('k', 1)
    const idle = vi.getTimerCount()
    await a.cache.get('k')
    expect(vi.getTimerCount()).toBe(idle + 1)
    await a.cache.close()
    // The heartbeat is gone too.
    expect(vi.getTimerCount()).toBeLessThan(idle)
  })

  it('makes no event of a hit when it is off', async () => {
    const [a, b] = [await stage.open(), await stage.open({ audit })]
    expect(a.shared.events.hit.wanted).toBe(false)
    expect(b.shared.events.hit.wanted).toBe(true)
  })
})

it('an audit of nothing, or of what has just changed, is refused', () => {
  for (const wrong of [{ sample: 0 }, { sample: 1.1 }, { sample: '1' }, { after: 99 }, { after: '25d' }, { often: true }, true]) {
    expect(() => createCache({ redis: false, audit: wrong as object }), JSON.stringify(wrong)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  }
})

it('without Redis an audit has nothing to compare with', async () => {
  await using cache = createCache({ redis: false, audit })
  await cache.set('k', 1)
  await cache.get('k')
  expect(cache.stats().redis).toBeUndefined()
})
