import { describe, expect, it } from 'vitest'
import { llmHitsOf } from '../src/benchmarks/ai/llm-hit.js'
import { decoratedHitsOf } from '../src/benchmarks/decorators.js'
import { hitsOf, filled } from '../src/benchmarks/hit.js'
import { benchmarkNames } from '../src/benchmarks/index.js'
import { missesOf } from '../src/benchmarks/miss.js'
import { crowdOf } from '../src/benchmarks/stampede.js'
import { help, wishesOf } from '../src/command-line.js'
import { compare, compareTimed, fasterBy } from '../src/comparison.js'
import { quick as quickEffort, type Effort } from '../src/effort.js'
import { measure, quantile, seriesOf, type Subject } from '../src/measure.js'
import { peers, tiercel, type Load, type Peer } from '../src/peers/index.js'
import { printEnd, printResult, ratio, reportOf } from '../src/report.js'
import { large, medium, small } from '../src/values.js'

const tiny: Effort = { ...quickEffort, plan: { rounds: 3, sampleMs: 0, warmUpMs: 0 } }

describe('a comparison', () => {
  const us = seriesOf('get', 'ns', [30, 10, 20])
  const peer = seriesOf('other', 'ns', [10, 10, 40])

  it('is the ratio of the medians, not of means or of single rounds', () => {
    expect(compare('1 KB', us, peer)).toMatchObject({
      value: '1 KB', us: { name: 'get', median: 20, unit: 'ns' }, peer: { name: 'other', median: 10, unit: 'ns' }, ratio: 2,
    })
  })

  it('tells between which ratios the middle half of the rounds lies', () => {
    expect(compare(undefined, us, peer).spread).toEqual([0.75, 2])
  })

  it('reaches a target when the ratio is no greater', () => {
    expect(compare(undefined, us, peer, 2).reached).toBe(true)
    expect(compare(undefined, us, peer, 1.99).reached).toBe(false)
    expect(compare(undefined, us, peer).reached).toBeUndefined()
  })

  it('turns being several times as fast into a ratio', () => {
    const slow = seriesOf('slow', 'ns', [100])
    expect(compare(undefined, us, slow, fasterBy(5)).reached).toBe(true)
    expect(compare(undefined, us, slow, fasterBy(6)).reached).toBe(false)
  })

  it('takes the sample in the middle, or halfway between the two there', () => {
    expect(quantile([9, 1, 5], 0.5)).toBe(5)
    expect(quantile([9, 1, 5, 7], 0.5)).toBe(6)
  })
})

describe('the harness', () => {
  const subject = (name: string, pass: () => unknown, rest: Partial<Subject> = {}): Subject => ({ name, operations: 1, pass, ...rest })

  it('interleaves the rounds', async () => {
    const order: string[] = []
    const series = await measure(['A', 'B', 'C'].map((name) => subject(name, () => order.push(name))), { rounds: 3, sampleMs: 0, warmUpMs: 0 })
    // Twice around to warm up; then each leads in with a pass before the one that counts.
    expect(order.join('')).toBe('ABCABC' + 'AABBCC'.repeat(3))
    expect(series.map(({ name, samples }) => [name, samples.length])).toEqual([['A', 3], ['B', 3], ['C', 3]])
  })

  it('waits for a pass that takes its time, and shows the check what it gave', async () => {
    const seen: unknown[] = []
    await measure([subject('slow', async () => 'done', { check: (given) => void seen.push(given) })], { rounds: 1, sampleMs: 0, warmUpMs: 0 })
    expect(new Set(seen)).toEqual(new Set(['done']))
  })

  it('ends with the error of a check', async () => {
    const wrong = subject('wrong', () => 1, { check: () => { throw new Error('not what it should be') } })
    await expect(measure([wrong], tiny.plan)).rejects.toThrow('not what it should be')
  })
})

describe('a cached answer of a model', () => {
  it('is read without asking the model again, and compared with what it takes at least', async () => {
    await expect(llmHitsOf(tiny)).resolves.toMatchObject({ us: { name: 'first part' }, peer: { name: 'get by a hash' }, target: 2 })
  })
})

describe('what is cached', () => {
  it.each([[small, 170], [medium, 11_500], [large, 17_500]])('is as long as it says: $name', ({ make }, length) => {
    const lengths = [0, 7, 500].map((id) => JSON.stringify(make(id)).length)
    for (const each of lengths) expect(Math.abs(each - length) / length).toBeLessThan(0.1)
  })
})

describe('the peers', () => {
  it.each([tiercel, ...peers])('$name reads through, once per key, and keeps what was loaded', async ({ open }) => {
    const asked: string[] = []
    const load: Load = async (key) => {
      asked.push(key)
      return { id: key.length }
    }
    const { read, readEach, close } = open(load)
    expect(await read('abc')).toEqual({ id: 3 })
    expect(await readEach(['abc', 'de', 'abc'])).toBe(8)
    expect(asked).toEqual(['abc', 'de'])
    await close()
  })

  it.each([tiercel, ...peers])('$name loads once for a crowd', async (peer) => {
    const { subject, most } = crowdOf(20, peer, true)
    await measure([subject], tiny.plan)
    expect(most()).toBe(1)
  })
})

describe('decorated methods', () => {
  it.each([1, 2])('are compared with the core and with peers, each of which loads every argument once (run %d)', async () => {
    const lines = await decoratedHitsOf(8, tiny)
    expect(lines.map(({ peer }) => peer.name.replace(/,.*/, ''))).toEqual(['getOrSet', 'getOrSet', 'written by hand', 'written by hand', 'type-cacheable', 'type-cacheable', 'node-ts-cache', 'node-ts-cache'])
    expect(lines.flatMap(({ target }) => target ?? [])).toEqual([2, 6])
  })
})

describe('a benchmark that misbehaves', () => {
  const loadingAlways: Peer = {
    name: 'no cache',
    copies: false,
    open: (load) => ({
      read: load,
      async readEach(keys) {
        let sum = 0
        for (const key of keys) sum += (await load(key)).id
        return sum
      },
      async close() {},
    }),
  }
  const values = [0, 1, 2, 3].map((id) => small.make(id))
  const loop = (peer: Peer) => ({ ...peer, open: (load: Load) => ({ ...peer.open(load), fill: peer.open(load).readEach }) })

  it('fails when the loader runs for every reader', async () => {
    await expect(measure([crowdOf(20, loadingAlways, true).subject], tiny.plan)).rejects.toThrow('the loader ran 20 times for one cold key')
  })

  it('fails when a hit was none', async () => {
    const { subject, finish } = await filled(loop(loadingAlways), values)
    await measure([subject], tiny.plan)
    await expect(finish()).rejects.toThrow(/no cache loaded \d+ times where 4 keys/)
  })

  it('fails when a value is another one', async () => {
    const mixedUp: Peer = { ...loadingAlways, name: 'mixed up', open: (load) => ({ ...loadingAlways.open(load), readEach: async () => 17 }) }
    const { subject } = await filled(loop(mixedUp), values)
    await expect(measure([subject], tiny.plan)).rejects.toThrow('mixed up gave other values than were cached')
  })

  it('fails when it copies and should not', async () => {
    const copying: Peer = { ...loadingAlways, open: (load) => loadingAlways.open(async (key) => ({ ...(await load(key)) })) }
    await expect(filled(loop(copying), values)).rejects.toThrow('gave a copy')
  })
})

describe('the report', () => {
  it('has one line for each comparison of a run, and JSON of the same', async () => {
    const hits = { name: 'hit', title: 'Hits', comparisons: await hitsOf(small, 8, tiny), notes: ['A note.'] }
    const misses = { name: 'miss', title: 'Misses', comparisons: await missesOf(small, 8, tiny), notes: [] }
    const report = reportOf('quick', [hits, misses])
    expect(JSON.parse(JSON.stringify(report))).toMatchObject({
      schema: 1,
      effort: 'quick',
      node: process.version,
      processor: expect.any(String),
      processors: expect.any(Number),
      targets: { set: hits.comparisons.filter(({ target }) => target !== undefined).length, reached: expect.any(Number) },
    })
    expect(misses.comparisons.map(({ peer }) => peer.name)).toEqual(peers.map(({ name }) => name))
    for (const line of [...hits.comparisons, ...misses.comparisons]) {
      expect(line).toMatchObject({ value: '170 bytes', us: { unit: 'ns' }, peer: { unit: 'ns' } })
      expect(line.ratio).toBeCloseTo(line.us.median / line.peer.median)
      expect(line.ratio).toBeGreaterThan(0)
    }
    expect(printResult(hits).split('\n').filter((line) => line.includes('170 bytes'))).toHaveLength(hits.comparisons.length)
    expect(printResult(hits)).toContain('A note.')
  })

  it('says plainly which targets were missed', () => {
    const [quick, slow] = [seriesOf('get', 'ns', [10]), seriesOf('set', 'ns', [30])]
    const peer = seriesOf('other', 'ns', [10])
    const result = { name: 'b', title: 'B', comparisons: [compare('1 KB', quick, peer, 2), compare('1 KB', slow, peer, 2)], notes: [] }
    const report = reportOf('full', [result])
    expect(report.targets).toEqual({ set: 2, reached: 1 })
    expect(printResult(result)).toMatch(/get .* at most 2 {2}reached\n.*set .* at most 2 {2}MISSED/)
    expect(printEnd(report)).toContain('missed: b, set, 1 KB, against other: 3.00, target at most 2')
  })

  it('has processor time beside wall time where both were measured', () => {
    const timed = (name: string, wall: number, processor: number) => ({ wall: seriesOf(name, 'wall-ns', [wall]), processor: seriesOf(name, 'ns', [processor]) })
    const both = compareTimed('1 KB', timed('get', 30, 10), timed('other', 20, 40), 2)
    expect(both).toMatchObject({ ratio: 1.5, processorRatio: 0.25, reached: true, us: { unit: 'wall-ns' } })
    expect(printResult({ name: 'b', title: 'B', comparisons: [both], notes: [] })).toMatch(/processor.*\n.*\n.* 0\.25 .*at most 2/)
    const one = compare('1 KB', seriesOf('get', 'ns', [1]), seriesOf('other', 'ns', [1]))
    expect(printResult({ name: 'b', title: 'B', comparisons: [one], notes: [] })).not.toContain('processor')
  })

  it('says plainly what was left out for want of a Redis', () => {
    const report = reportOf('quick', [], ['redis-read', 'redis-cold'])
    expect(report.leftOut).toEqual(['redis-read', 'redis-cold'])
    expect(printEnd(report)).toContain('LEFT OUT, as there is no Redis: redis-read, redis-cold')
    expect(printEnd(reportOf('quick', []))).not.toContain('LEFT OUT')
  })

  it('shows what is cheaper as how many times', () => {
    expect(ratio(1.333)).toBe('1.33')
    expect(ratio(0.25)).toBe('0.25 (4.0x less)')
    expect(ratio(0.002)).toBe('0.0020 (500.0x less)')
  })
})

describe('the command line', () => {
  it('chooses benchmarks by name', () => {
    expect(wishesOf(['--quick', '--only', 'hit', '--only', 'codec'])).toEqual({ quick: true, json: false, help: false, only: ['hit', 'codec'] })
    for (const name of benchmarkNames) expect(help).toContain(name)
  })

  it('refuses what it does not know', () => {
    expect(() => wishesOf(['--only', 'hits'])).toThrow("There is no benchmark 'hits'. There are: hit, decorators")
    expect(() => wishesOf(['--fast'])).toThrow('--fast')
  })
})
