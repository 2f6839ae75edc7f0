import { percentile } from '../latency.js'
import { visits, type Visit } from '../load.js'
import { count, milliseconds, type Chapter } from '../report.js'
import type { Service, Stage } from '../stage.js'
import type { City } from '../world.js'

const atATime = 32

/** The same visits by thirty-two visitors at a time, without the cache and with it. */
export async function showLoad({ cities, database, cache, direct, cached }: Stage, { requests }: { requests: number }): Promise<Chapter> {
  const list = visits(cities, requests)
  // Populations only ever grow here, in both runs, so that an answer from the past is one with too few people.
  const population = new Map(cities.map(({ id, population: people }) => [id, people]))
  const without = await run(direct)
  await cache.invalidate({ all: true })
  const withCache = await run(cached)

  const saved = without.queries - withCache.queries
  const row = (what: string, cell: (outcome: Outcome) => string): string[] => [what, cell(without), cell(withCache)]
  return {
    heading: `What does a day's load cost? ${count(requests)} visits, ${atATime} at a time, the big cities most wanted`,
    table: [
      ['', 'without cache', 'with cache'],
      row('answered', ({ times }) => count(times.length)),
      row('database queries', ({ queries }) => count(queries)),
      row('p50', ({ times }) => milliseconds(percentile(times, 0.5))),
      row('p99', ({ times }) => milliseconds(percentile(times, 0.99))),
      row('visits per second', ({ times, seconds }) => count(Math.round(times.length / seconds))),
      row('cities updated on the way', ({ updates }) => count(updates)),
      row('populations shown and checked', ({ checked }) => count(checked)),
      row('of them older than an update already confirmed', ({ old }) => count(old)),
    ],
    notes: [`${count(saved)} of ${count(without.queries)} queries saved: ${((100 * saved) / without.queries).toFixed(1)}%.`],
    claims: [
      { says: 'every visit was answered, with the cache and without', holds: without.failed + withCache.failed === 0 },
      { says: 'the cache saved queries', holds: saved > 0 },
      { says: 'nobody saw a population older than a confirmed update', holds: withCache.old === 0 && withCache.checked > 0 },
    ],
  }

  async function run({ client }: Service): Promise<Outcome> {
    const outcome: Outcome = { times: [], queries: 0, seconds: 0, updates: 0, checked: 0, old: 0, failed: 0 }
    const confirmed = new Map<number, number>()
    let updating = Promise.resolve()
    const queue = list.values()

    const read = async (path: string): Promise<void> => {
      // What was confirmed before the question is what the answer must know; what is confirmed meanwhile, it may.
      const known = new Map(confirmed)
      const answer = await client.get<Partial<City> | City[]>(path)
      outcome.times.push(answer.milliseconds)
      if (answer.status !== 200) outcome.failed += 1
      for (const { id, population: shown } of [answer.body].flat()) {
        if (id === undefined || shown === undefined) continue
        outcome.checked += 1
        if (shown < (known.get(id) ?? 0)) outcome.old += 1
      }
    }
    const update = async ({ id }: City): Promise<void> => {
      const people = (population.get(id) ?? 0) + 1
      population.set(id, people)
      const answer = await client.put(`/cities/${id}`, { population: people })
      outcome.times.push(answer.milliseconds)
      outcome.updates += 1
      if (answer.status !== 200) outcome.failed += 1
      confirmed.set(id, people)
    }
    const visitor = async (): Promise<void> => {
      for (const visit of queue) await make(visit)
    }
    const make = (visit: Visit): Promise<void> => {
      if ('path' in visit) return read(visit.path)
      // One update after the other: two of the same city at once would have no order to check against.
      updating = updating.then(() => update(visit.update))
      return updating
    }

    const queriesBefore = database.queries
    const began = performance.now()
    await Promise.all(Array.from({ length: atATime }, visitor))
    outcome.seconds = (performance.now() - began) / 1000
    outcome.queries = database.queries - queriesBefore
    return outcome
  }
}

interface Outcome {
  times: number[]
  queries: number
  seconds: number
  updates: number
  checked: number
  old: number
  failed: number
}
