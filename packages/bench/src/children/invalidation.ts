// Prints the work and the time of invalidating a tag of many entries and a tag of few, in one cache that holds them all.
import { Session } from 'node:inspector/promises'
import { createCache } from '@tiercel/core'

const [many = 0, few = 0, rounds = 0] = process.argv.slice(2).map(Number)

const cache = createCache({ redis: false, ttl: '1h', memory: { maxEntries: many + few, maxBytes: 2 ** 34 } })
const session = new Session()

await fill('many', many)
await fill('few', few)
await fill('first', few)
await session.connect()
await session.post('Profiler.enable')
// Before it is timed, since only now there are values that it takes from their readers. The first call of all finds code not compiled yet.
await stepsOf('first', few)
const manySteps = await stepsOf('many', many)
const fewSteps = await stepsOf('few', few)
session.disconnect()
const times = await timesOf()
process.stdout.write(JSON.stringify({ many: { steps: manySteps, ns: times.many }, few: { steps: fewSteps, ns: times.few } }))

/** Every entry has a tag for the counting, one for warming up, and one for each round. */
async function fill(name: string, count: number): Promise<void> {
  const options = { tags: Array.from({ length: rounds + 2 }, (_, tag) => `${name} ${tag}`) }
  for (let id = 0; id < count; id++) await cache.set(`${name}:${id}`, id, options)
  checkEnds(name, count, (value, id) => value === id)
}

function checkEnds(name: string, count: number, isRight: (value: unknown, id: number) => boolean): void {
  for (const id of [0, count >> 1, count - 1]) {
    if (!isRight(cache.peek(`${name}:${id}`), id)) throw new Error(`The entry ${id} of ${name} is not as it should be`)
  }
}

/** How often all functions, branches and loop bodies of the cache and of lru-cache were entered, as V8 counts it for coverage. */
async function stepsOf(name: string, count: number): Promise<number> {
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  await cache.invalidate({ tag: `${name} 0` })
  const { result } = await session.post('Profiler.takePreciseCoverage')
  await session.post('Profiler.stopPreciseCoverage')
  checkEnds(name, count, (value) => value === undefined)
  let steps = 0
  for (const { url, functions } of result) {
    if (!/\/core\/dist\/|lru-cache/.test(url)) continue
    for (const { ranges } of functions) for (const range of ranges) steps += range.count
  }
  if (steps === 0) throw new Error('No work was counted')
  return steps
}

async function timesOf(): Promise<{ many: number[]; few: number[] }> {
  const taken: { many: number[]; few: number[] } = { many: [], few: [] }
  for (let tag = 1; tag < rounds + 2; tag++) {
    for (const name of ['many', 'few'] as const) {
      const began = performance.now()
      await cache.invalidate({ tag: `${name} ${tag}` })
      const ns = (performance.now() - began) * 1e6
      if (tag > 1) taken[name].push(ns)
    }
  }
  return taken
}
