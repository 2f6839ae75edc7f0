import { getEventListeners } from 'node:events'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Mechanisms } from '../../src/coherence/index.js'
import { narrowScenario, wideScenario, type Scenario } from './operations.js'
import { cacheWithout, openedCache } from './opened-cache.js'
import { PromiseBroken, TTL, World } from './world.js'

const thorough = process.env.TIERCEL_PROOF === '1'
/** The same schedules each time, so that a change is judged by what it changes; the proof looks for new ones, and prints the seed of what it finds. */
const runs = (few: number, many: number) => (thorough ? { numRuns: many } : { numRuns: few, seed: 11 })
/** So long each test looks, then it leaves the rest of its runs out: a slow machine explores less. */
const LONGEST_MS = 300_000
if (thorough) vi.setConfig({ testTimeout: 2 * LONGEST_MS })

/** Not an LRU of the usual size: thousands of caches are made, and none holds more than nine entries. */
const options = { ttl: TTL, graceRetry: 0, memory: { maxEntries: 100 } }

let until = 0
const isOver = () => Date.now() > until

beforeEach(() => {
  until = Date.now() + LONGEST_MS
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

// What weak references have been asked for lives until the event loop turns, and the schedules alone never let it.
const turn = () => new Promise((resolve) => setImmediate(resolve))

const promisesWithout = (mechanisms: readonly (keyof Mechanisms)[], scenario: fc.Arbitrary<Scenario>) =>
  fc.asyncProperty(fc.scheduler(), scenario, async (schedule, plan) => {
    if (isOver()) return
    await turn()
    const cache = cacheWithout(mechanisms, options)
    await new World(cache, schedule).run(plan)
    await cache.close()
  })

test.for([
  ['one key', narrowScenario],
  ['many keys and namespaces', wideScenario],
] as const)('no interleaving of reads, loads, writes and invalidations of %s serves or keeps an old value', async ([, scenario]) => {
  const promises = promisesWithout([], scenario)
  await expect(fc.assert(promises, runs(600, 100_000))).resolves.toBeUndefined()
})

test('after no interleaving is anything held on to: no token, fence, flight, timer or listener', async () => {
  const nothingLeft = fc.asyncProperty(fc.scheduler(), fc.oneof(narrowScenario, wideScenario), async (schedule, plan) => {
    if (isOver()) return
    await turn()
    const { cache, shared } = openedCache(options)
    const world = new World(cache, schedule)
    await world.run(plan)
    const listeners = world.signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0)
    const left = { timers: vi.getTimerCount(), fences: shared.fences.size, flights: shared.flights.size, listeners }
    expect(left).toEqual({ timers: 0, fences: 0, flights: 0, listeners: 0 })
    await cache.close()
    expect({ tokens: shared.tokens.size, bytes: shared.memory.bytes }).toEqual({ tokens: 0, bytes: 0 })
  })
  await fc.assert(nothingLeft, runs(400, 30_000))
})

const mechanisms: readonly (keyof Mechanisms)[] = ['fence', 'detach', 'lateFence', 'lateDetach', 'supersede', 'kill']

test.for(mechanisms)('without the mechanism %s an interleaving breaks a promise that holds with it', async (mechanism) => {
  // Any seed finds one within 20,000 schedules; with this one it is among the first 500.
  const found = await fc.check(promisesWithout([mechanism], narrowScenario), { seed: 11, numRuns: 20_000, endOnFailure: true })
  expect(found.errorInstance).toBeInstanceOf(PromiseBroken)
  const withIt = await fc.check(promisesWithout([], narrowScenario), { seed: 11, numRuns: found.numRuns })
  expect(withIt.errorInstance).toBeNull()
})
