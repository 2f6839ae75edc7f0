import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createCache, type Cache } from '../../src/index.js'
import { createConsistencyChecker, createConsistencyRecorder, type ConsistencyBatch, type ConsistencyEvent, type ConsistencyRecorder, type ViolationKind } from '../../src/testing/index.js'
import { describeWithRedis, startRedis } from '../redis/server/index.js'
import { builtTesting, runProgram } from './built.js'

const BOUND_MS = 1000

const write = (key: string, version: number, began: number, ended = began + 1): ConsistencyEvent => ({ type: 'write', key, version, began, ended })
const read = (key: string, version: number, at: number, more: object = {}): ConsistencyEvent => ({ type: 'read', key, version, count: 1, pastMemory: false, first: at, last: at, ...more })
const invalidate = (keys: readonly string[] | 'all', began: number, durable = true, ended = began + 1): ConsistencyEvent => ({ type: 'invalidate', keys, durable, began, ended })
const rest = (at: number, begins = true): ConsistencyEvent => ({ type: 'rest', at, begins })

type History = readonly (readonly [recorder: string, ...events: ConsistencyEvent[]])[]

function reportOf(...history: History) {
  const checker = createConsistencyChecker({ bound: BOUND_MS })
  for (const [recorder, ...events] of history) checker.add({ recorder, events, nothing: 0, lost: 0 })
  return checker.report()
}

/** What of it is wrong. */
function wrongs(...history: History): Partial<Record<ViolationKind, number>> {
  return Object.fromEntries(Object.entries(reportOf(...history).violations).filter(([, count]) => count > 0))
}

describe('the consistency checker', () => {
  it('finds nothing wrong with a history in which nothing is', () => {
    const history: History = [
      ['a', write('k', 1, 0), invalidate(['k'], 2), read('k', 1, 4), write('k', 2, 10), read('k', 1, 12), invalidate(['k'], 13), read('k', 2, 15)],
      ['b', read('k', 0, 1), read('k', 1, 5), read('k', 1, 1013), read('k', 2, 1015)],
      ['c', rest(3000), read('k', 2, 3001)],
      ['b', read('k', 2, 3002)],
    ]
    expect(wrongs(...history)).toEqual({})
    expect(reportOf(...history)).toMatchObject({ ok: true, reads: 9, writes: 2, invalidations: 2, durable: 2, recorders: 3, keys: 1, staleReads: 1, heldMs: 999 })
  })

  it('finds a value that another process was still given after the bound', () => {
    const before = ['a', write('k', 1, 0), write('k', 2, 10), invalidate(['k'], 20)] as const
    expect(wrongs(before, ['b', read('k', 1, 1021)])).toEqual({})
    expect(wrongs(before, ['b', read('k', 1, 1022)])).toEqual({ 'too-old': 1 })
    expect(wrongs(before, ['b', read('k', 2, 5000)])).toEqual({})
  })

  it('promises nothing to others about an invalidation that was not durable', () => {
    expect(wrongs(['a', write('k', 1, 0), invalidate(['k'], 20, false)], ['b', read('k', 0, 9000)])).toEqual({})
  })

  it('finds a value that its own cache had invalidated, durably or not, at once', () => {
    const before = ['a', write('k', 1, 0), invalidate(['k'], 20, false)] as const
    expect(wrongs(before, ['a', read('k', 0, 21)])).toEqual({})
    expect(wrongs(before, ['a', read('k', 0, 21.5)])).toEqual({ own: 1 })
    expect(wrongs(before, ['b', read('k', 0, 21.5)])).toEqual({})
  })

  it('finds a value that was read past memory after a durable invalidation', () => {
    const before = ['a', write('k', 1, 0), invalidate(['k'], 20)] as const
    expect(wrongs(before, ['b', read('k', 0, 22, { pastMemory: true })])).toEqual({ 'too-old': 1 })
    expect(wrongs(before, ['b', read('k', 0, 22)])).toEqual({})
  })

  it('holds nothing against a read that began before the invalidation had resolved', () => {
    expect(wrongs(['a', write('k', 1, 0), invalidate(['k'], 20, true, 500), read('k', 0, 499)])).toEqual({})
  })

  it('takes an invalidation to cover what was written before it began, and nothing later', () => {
    expect(wrongs(['a', write('k', 1, 0), write('k', 2, 19, 21), invalidate(['k'], 20, true, 30), read('k', 1, 40)])).toEqual({})
    expect(wrongs(['a', write('k', 1, 0), invalidate(['l'], 20), read('k', 0, 4000)])).toEqual({})
    expect(wrongs(['a', invalidate(['k'], 20, true, 20), write('k', 1, 20, 20), read('k', 0, 21)])).toEqual({ own: 1 })
    expect(wrongs(['a', write('k', 1, 0), write('l', 1, 5), invalidate('all', 20), read('k', 0, 40), read('l', 0, 40)])).toEqual({ own: 2 })
  })

  it('finds at rest what is older than any invalidation had covered, and what others were not given', () => {
    const before = ['a', write('k', 1, 0), invalidate(['k'], 20, false), rest(100)] as const
    expect(wrongs(before, ['b', read('k', 1, 101)], ['c', read('k', 1, 102)])).toEqual({})
    expect(wrongs(before, ['b', read('k', 0, 101)], ['c', read('k', 1, 102)])).toEqual({ disagreement: 1 })
    expect(wrongs(['a', write('k', 1, 0), rest(100)], ['b', read('k', 1, 101)], ['c', read('k', 0, 102)])).toEqual({ disagreement: 1 })
    expect(wrongs(['a', write('k', 1, 0), rest(100), rest(110, false), write('k', 2, 120)], ['b', read('k', 1, 101)], ['c', read('k', 2, 125)])).toEqual({})
  })

  it('finds a version that nobody wrote, also when the writer tells of it later', () => {
    expect(wrongs(['b', read('k', 1, 5)])).toEqual({ unwritten: 1 })
    expect(wrongs(['a', write('k', 1, 0, 50)], ['b', read('k', 1, 5)])).toEqual({})
    const checker = createConsistencyChecker({ bound: BOUND_MS })
    checker.add({ recorder: 'b', events: [read('k', 7, 5)], nothing: 0, lost: 0 })
    expect(checker.report().violations.unwritten).toBe(1)
    checker.add({ recorder: 'a', events: [write('k', 7, 1, 9)], nothing: 0, lost: 0 })
    expect(checker.report().violations.unwritten).toBe(0)
  })

  it('tells who read what, when and how late, and prints it', () => {
    const report = reportOf(['a', write('k', 1, 0), invalidate(['k'], 20)], ['b', read('k', 0, 2521, { count: 3 })])
    expect(report.ok).toBe(false)
    expect(report.examples).toEqual([{ kind: 'too-old', recorder: 'b', key: 'k', version: 0, expected: 1, at: 2521, lateMs: 1500 }])
    expect(String(report).split('\n')).toEqual([
      'consistency: NOT ok',
      '  reads                                   3, 0 of them found nothing; 1 keys, 2 recorders',
      '  writes                                  1',
      '  invalidations                           1, 1 of them durable',
      '  stale within the bound                  0',
      '  bound held                              2.50 s of 1.00 s',
      '  older than promised                     3',
      '  older than invalidated by the same cache  0',
      '  in disagreement at rest                 0',
      '  of a version that nobody wrote          0',
      '  - older than promised: b read version 0 of k, not 1, 1.50 s late',
    ].map((line) => line.replace(/^ {2}(\S.*?) {2,}(.*)$/, (_, title: string, value: string) => `  ${title.padEnd(40)}  ${value}`)))
  })

  it('counts of a run of reads at least one when only the last began too late', () => {
    const before = ['a', write('k', 1, 0), invalidate(['k'], 20)] as const
    expect(wrongs(before, ['b', read('k', 0, 0, { first: 1019, last: 1023, count: 9 })])).toEqual({ 'too-old': 1 })
    expect(wrongs(before, ['b', read('k', 0, 0, { first: 1022, last: 1023, count: 9 })])).toEqual({ 'too-old': 9 })
  })

  it('is not content when events were dropped, or told too late to be judged', () => {
    const checker = createConsistencyChecker({ bound: BOUND_MS, window: 100 })
    checker.add({ recorder: 'b', events: [read('k', 0, 1)], nothing: 0, lost: 1 })
    expect(checker.report()).toMatchObject({ ok: false, lost: 1 })
    const other = createConsistencyChecker({ bound: BOUND_MS, window: 100 })
    other.add({ recorder: 'b', events: [read('k', 0, 5000), read('k', 0, 5300)], nothing: 4, lost: 0 })
    other.add({ recorder: 'a', events: [write('k', 1, 10), invalidate(['k'], 20)], nothing: 0, lost: 0 })
    expect(other.report()).toMatchObject({ ok: false, late: 2, reads: 6, nothing: 4 })
  })

  it('agrees with the definition on any history, in whatever order processes are heard', () => {
    const at = fc.integer({ min: 0, max: 60 })
    const key = fc.constantFrom('k', 'l')
    const recorder = fc.constantFrom('a', 'b', 'c')
    const change = fc.oneof(
      fc.tuple(recorder, key, at, at).map(([by, name, from, length]) => ({ by, event: write(name, 0, from, from + (length % 7)) })),
      fc.tuple(recorder, fc.constantFrom<readonly string[] | 'all'>(['k'], ['l'], ['k', 'l'], 'all'), at, at, fc.boolean()).map(([by, keys, from, length, durable]) => ({ by, event: invalidate(keys, from, durable, from + (length % 7)) })),
    )
    const sighting = fc.tuple(recorder, key, at, fc.integer({ min: 0, max: 6 }), fc.boolean()).map(([by, name, from, version, pastMemory]) => ({ by, event: read(name, version, from + 0.5, { pastMemory }) }))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 14 }), fc.array(sighting, { maxLength: 14 }), fc.boolean(), (changes, reads, readsFirst) => {
        // Versions in the order in which the source had them.
        const versions = { k: 0, l: 0 }
        const sorted = changes.toSorted((a, b) => endOf(a.event) - endOf(b.event)).map(({ by, event }) => ({ by, event: event.type === 'write' ? { ...event, version: ++versions[event.key as 'k' | 'l'] } : event }))
        const known = reads.map(({ by, event }) => ({ by, event: event.type === 'read' ? { ...event, version: Math.min(event.version, versions[event.key as 'k' | 'l']) } : event }))
        const all = readsFirst ? [...known, ...sorted] : [...sorted, ...known]
        const checker = createConsistencyChecker({ bound: 10 })
        for (const { by, event } of all) checker.add({ recorder: by, events: [event], nothing: 0, lost: 0 })
        const { own, 'too-old': tooOld } = checker.report().violations
        expect({ own, tooOld }).toEqual(byDefinition(all, 10))
      }),
      { numRuns: process.env.TIERCEL_PROOF === '1' ? 20_000 : 1000 },
    )
  })
})

function endOf(event: ConsistencyEvent): number {
  return event.type === 'read' ? event.last : event.type === 'rest' ? event.at : event.ended
}

/** Each read against each invalidation, and that against each write. */
function byDefinition(history: readonly { by: string; event: ConsistencyEvent }[], boundMs: number): { own: number; tooOld: number } {
  let [own, tooOld] = [0, 0]
  for (const { by: reader, event: seen } of history) {
    if (seen.type !== 'read') continue
    let [isOwn, isTooOld] = [false, false]
    for (const { by, event } of history) {
      if (event.type !== 'invalidate' || !(event.keys === 'all' || event.keys.includes(seen.key))) continue
      const covered = history.some(({ event: change }) => change.type === 'write' && change.key === seen.key && change.version > seen.version && change.ended <= event.began)
      if (covered && by === reader && event.ended < seen.first) isOwn = true
      if (covered && event.durable && event.ended + (seen.pastMemory ? 0 : boundMs) < seen.first) isTooOld = true
    }
    if (isOwn) own++
    if (isTooOld) tooOld++
  }
  return { own, tooOld }
}

describe('a consistency recorder', () => {
  it('keeps millions of reads in little', () => {
    const recorder = createConsistencyRecorder('a')
    const start = performance.now()
    const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
    for (let i = 0; i < 2_000_000; i++) recorder.read(keys[i % 20] ?? '', 1, recorder.now())
    const ms = performance.now() - start
    const { events } = recorder.take()
    expect(events.reduce((sum, event) => sum + (event.type === 'read' ? event.count : 0), 0)).toBe(2_000_000)
    // As many as there are spans of time, for each key, and not one for each read.
    expect(events.length).toBeLessThanOrEqual(20 * (ms / 5 + 2))
  })

  it('never joins reads of different versions, ways or times', () => {
    const recorder = createConsistencyRecorder('a')
    recorder.read('k', 1, 100)
    recorder.read('k', 1, 98)
    recorder.read('k', 1, 103)
    recorder.readPastMemory('k', 1, 103)
    recorder.read('k', 2, 103)
    recorder.read('k', 2, 120)
    recorder.read('k', undefined, 121)
    const batch = recorder.take()
    expect(batch.nothing).toBe(1)
    expect(batch.events).toMatchObject([
      { version: 1, count: 3, first: 98, last: 103, pastMemory: false },
      { version: 1, count: 1, pastMemory: true },
      { version: 2, count: 1, first: 103 },
      { version: 2, count: 1, first: 120 },
    ])
    expect(recorder.take()).toEqual({ recorder: 'a', events: [], nothing: 0, lost: 0 })
  })

  it('drops what nobody takes, and says how much', () => {
    const recorder = createConsistencyRecorder('a', { maxEvents: 10 })
    for (let i = 0; i < 25; i++) recorder.read(`key ${i}`, 1, i)
    expect(recorder.take()).toMatchObject({ lost: 15, events: { length: 10 } })
    recorder.wrote('k', 1, 0)
    expect(recorder.take()).toMatchObject({ lost: 0, events: { length: 1 } })
  })

  it('delivers by itself to a checker of its own process, which keeps no more than it needs', () => {
    const checker = createConsistencyChecker({ bound: 1000, window: 10 })
    const recorder = checker.recorder('a')
    expect(checker.recorder('a')).toBe(recorder)
    for (let i = 0; i < 300_000; i++) recorder.read(`key ${i % 50}`, 0, i)
    expect(checker.report()).toMatchObject({ ok: true, reads: 300_000, lost: 0 })
  })

  it('refuses what is no version', () => {
    const recorder = createConsistencyRecorder('a')
    expect(() => recorder.wrote('k', 0, 0)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => recorder.read('k', NaN, 0)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => recorder.read('k', '1' as unknown as number, 0)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => createConsistencyRecorder('')).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
  })

  it('has the same time as recorders of other processes', async () => {
    const mine = createConsistencyRecorder('here')
    const built = await builtTesting()
    const before = mine.now()
    const program = runProgram(built, `
      const recorder = testing.createConsistencyRecorder('there')
      recorder.wrote('k', 1, recorder.now())
      console.log(JSON.stringify(recorder.take()))`)
    const batch = JSON.parse(await program.line()) as ConsistencyBatch
    const after = mine.now()
    const [event] = batch.events
    expect(event?.type === 'write' && before < event.began && event.began <= event.ended && event.ended < after).toBe(true)
    expect(await program.ended).toBe(0)
  })
})

/** Whatever is put in front of a source and told when something changes. */
interface Subject {
  read(key: string, load: () => number): Promise<number>
  invalidate(key: string): Promise<{ readonly durable: boolean }>
}

const ofCache = (cache: Cache): Subject => ({ read: (key, load) => cache.getOrSet(key, load), invalidate: (key) => cache.invalidate({ key }) })

/** Forgets only what it was asked to itself. */
function deaf(): Subject {
  const values = new Map<string, number>()
  return {
    read(key, load) {
      const value = values.get(key) ?? load()
      values.set(key, value)
      return Promise.resolve(value)
    },
    invalidate(key) {
      values.delete(key)
      return Promise.resolve({ durable: true })
    },
  }
}

/** Stores what it loaded although it was told meanwhile to forget it. */
function slow(): Subject {
  const values = new Map<string, number>()
  return {
    async read(key, load) {
      const value = values.get(key) ?? load()
      await new Promise((resolve) => setImmediate(resolve))
      values.set(key, value)
      return value
    },
    invalidate(key) {
      values.delete(key)
      return Promise.resolve({ durable: true })
    },
  }
}

/** Two subjects over one source: both read all the time while each writes now and then, and in the end both are asked at rest. */
async function exercise(subjects: readonly Subject[], bound: number): Promise<ReturnType<ReturnType<typeof createConsistencyChecker>['report']>> {
  const checker = createConsistencyChecker({ bound })
  const source = new Map<string, number>()
  const use = async (subject: Subject, recorder: ConsistencyRecorder, index: number) => {
    const readOne = async (key: string) => {
      const began = recorder.now()
      recorder.read(key, await subject.read(key, () => source.get(key) ?? 0), began)
    }
    for (let round = 0; round < 30; round++) {
      const key = `key ${round % 3}`
      await Promise.all([readOne(key), readOne(key), ...(round % subjects.length === index ? [change(subject, recorder, key)] : [])])
      await readOne(key)
    }
  }
  const change = async (subject: Subject, recorder: ConsistencyRecorder, key: string) => {
    const written = recorder.now()
    const version = (source.get(key) ?? 0) + 1
    source.set(key, version)
    recorder.wrote(key, version, written)
    const began = recorder.now()
    recorder.invalidated(key, began, await subject.invalidate(key))
  }
  const recorders = subjects.map((_, index) => checker.recorder(`cache ${index}`))
  await Promise.all(subjects.map((subject, index) => use(subject, recorders[index] as ConsistencyRecorder, index)))
  await new Promise((resolve) => setTimeout(resolve, bound))
  recorders[0]?.rest()
  for (const [index, subject] of subjects.entries()) {
    for (const key of source.keys()) {
      const began = (recorders[index] as ConsistencyRecorder).now()
      recorders[index]?.read(key, await subject.read(key, () => source.get(key) ?? 0), began)
    }
  }
  return checker.report()
}

describeWithRedis('what the checker says of real caches', () => {
  it('nothing, of two that share a Redis', async () => {
    const redis = await startRedis()
    const caches = [1, 2].map(() => createCache({ redis: redis.url, maxStaleness: 300, deadline: '20s' }))
    await Promise.all(caches.map((cache) => cache.ready()))
    const report = await exercise(caches.map(ofCache), 300)
    expect(String(report)).toContain('consistency: ok')
    expect(report.durable).toBe(30)
    await Promise.all(caches.map((cache) => cache.close()))
    await redis.stop()
  })

  it('of two that do not hear of each other, that they do not', async () => {
    const report = await exercise([deaf(), deaf()], 0)
    expect(report.violations.own).toBe(0)
    expect(report.violations['too-old']).toBeGreaterThan(0)
    expect(report.violations.disagreement).toBeGreaterThan(0)
  })

  it('of one that stores what it was told to forget, that it does', async () => {
    expect((await exercise([slow()], 0)).violations.own).toBeGreaterThan(0)
  })
})
