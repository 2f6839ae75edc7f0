import { expect, it, vi } from 'vitest'
import { createCache, type Cache } from '../../../src/index.js'
import { describeWithRedis } from '../server/index.js'
import { useStage } from './stage/stage.js'

const CALLS = 1000

/** With the turns of the microtask queue that each may take more than in a cache without Redis: what is changed is written down on the way. */
const ways: readonly (readonly [name: string, more: number, call: (cache: Cache, i: number) => Promise<unknown>])[] = [
  ['a load', 1, (cache, i) => cache.getOrSet(`k${i}`, () => i)],
  ['a hit', 0, (cache) => cache.getOrSet('known', () => 'never called')],
  ['a read of what is not there', 1, (cache, i) => cache.get(`missing${i}`)],
  ['a set', 3, (cache, i) => cache.set(`s${i}`, i)],
  ['an invalidation', 1, (cache, i) => cache.invalidate({ key: `k${i}` })],
]

/** How often the microtask queue comes round until calls, one after the other, have ended. */
async function turnsOf(call: (i: number) => Promise<unknown>): Promise<number> {
  const state = { isDone: false }
  const calls = (async () => {
    for (let i = 0; i < CALLS; i++) await call(i)
    state.isDone = true
  })()
  let turns = 0
  for (; !state.isDone; turns++) await undefined
  await calls
  return turns / CALLS
}

describeWithRedis('while Redis is known to be away', () => {
  const stage = useStage()

  it.each(ways)('%s sends nothing, waits for nothing, and sets no timer', async (_, more, call) => {
    const { cache, link } = await stage.open()
    const alone = createCache({ redis: false })
    link.cut()
    await cache.invalidate({ key: 'x' })
    expect(cache.health().redis?.breaker).toBe('open')
    for (const each of [cache, alone]) await each.set('known', 1)
    const sent = link.sent.length
    const timers = vi.getTimerCount()
    const [away, without] = [await turnsOf((i) => call(cache, i)), await turnsOf((i) => call(alone, i))]
    expect(link.sent.length).toBe(sent)
    expect(vi.getTimerCount()).toBe(timers)
    expect(away - without).toBeLessThanOrEqual(more)
    await alone.close()
  })
})
