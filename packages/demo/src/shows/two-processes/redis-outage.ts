import { setTimeout as pause } from 'node:timers/promises'
import type { RedisServer } from '@tiercel/core/testing'
import { citiesIn } from '../../cities.js'
import { percentile } from '../../latency.js'
import { ageOf, type Update } from '../../readings.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import type { City } from '../../world.js'
import { popular, seededRandom } from '../../zipf.js'
import type { SharedStage } from './shared-stage.js'
import { SteadyLoad } from './steady-load.js'

const longestRecovery = 10_000

/** Redis stops answering in the middle of a steady load and comes back, and rows change all the while. */
export async function showRedisOutage(stage: SharedStage & { redisServer: RedisServer }, { away }: { away: number }): Promise<Chapter> {
  const { cities, database, processes, redisServer } = stage
  const [a, b] = processes.pair
  const known = cities.slice(0, 300)
  const [city] = known
  if (!city) throw new RangeError('The show needs a city')
  let { population } = (await a.client.get<City>(`/cities/${city.id}`)).body
  const updates: (Update & { took: number })[] = []
  const phases: { name: string; from: number; queriesBefore: number }[] = []
  const begin = (name: string): number => {
    const from = performance.now()
    phases.push({ name, from, queriesBefore: database.queries })
    return from
  }

  begin('before')
  const load = new SteadyLoad(processes.pair, popular(known, seededRandom(7)))
  let wasUsed: boolean[]
  let usedAgain: number[]
  try {
    await pause(500)
    await change(a)
    await pause(500)

    redisServer.pause()
    begin('no Redis')
    await pause(away / 4)
    await change(a)
    await pause(away / 4)
    await change(b)
    await pause(away / 2)
    wasUsed = await Promise.all(processes.pair.map(async ({ stats }) => (await stats()).redis === 'used'))

    redisServer.resume()
    const back = begin('coming back')
    usedAgain = await Promise.all(processes.pair.map(async (process) => (await readsFromRedis(process)) - back))
    begin('after')
    await change(b)
    await pause(1_000)
  } finally {
    await load.end()
  }
  begin('end')

  const columns = phases.slice(0, -1).map(({ name, from, queriesBefore }, index) => {
    const next = phases[index + 1]
    const isNow = (moment: number): boolean => moment >= from && moment < (next?.from ?? Infinity)
    // Whoever was waiting when the phase began waited because of it; what he may see, the moment of his question decides.
    const visits = load.visits.filter(({ ended }) => isNow(ended))
    const looks = load.visits.filter(({ id, began, failed: isFailed }) => id === city.id && !isFailed && isNow(began))
    // What changes in this phase is on its way for a moment; what changed before it is not.
    return { name, visits, looks, queries: (next?.queriesBefore ?? NaN) - queriesBefore, earlier: updates.filter(({ at }) => at < from) }
  })
  type Column = (typeof columns)[number]
  const times = ({ visits }: Column): number[] => visits.map(({ began, ended }) => ended - began)
  const ages = ({ looks }: Column, of: Update[] = updates): number[] => looks.map((look) => ageOf(look, of)).filter((age) => age > 0)
  const row = (what: string, cell: (column: Column) => string): string[] => [what, ...columns.map(cell)]
  const failed = load.visits.filter((visit) => visit.failed).length
  const [, gone, , after] = columns as [Column, Column, Column, Column]
  const seconds = processes.maxStaleness / 1000
  const ownOld = load.visits.filter((visit) => visit.id === city.id && ageOf(visit, updates.filter(({ by }) => by === visit.by)) > 0).length
  return {
    heading: `Redis stops answering for ${(away / 1000).toFixed(1)} s, under a steady load on both, and ${city.name} changes meanwhile`,
    table: [
      ['', ...columns.map(({ name }) => name)],
      row('visits', ({ visits }) => count(visits.length)),
      row('of them failed', ({ visits }) => count(visits.filter((visit) => visit.failed).length)),
      row('p50', (column) => milliseconds(percentile(times(column), 0.5))),
      row('p99', (column) => milliseconds(percentile(times(column), 0.99))),
      row('slowest', (column) => milliseconds(Math.max(0, ...times(column)))),
      row('database queries', ({ queries }) => count(queries)),
      row(`looks at ${city.name}`, ({ looks }) => count(looks.length)),
      row('of them older than a confirmed update', (column) => count(ages(column).length)),
      row('by at most', (column) => (ages(column).length > 0 ? milliseconds(Math.max(...ages(column))) : '-')),
    ],
    notes: [
      `From Redis again: ${processes.pair.map(({ name }, index) => `${name} after ${milliseconds(usedAgain[index] ?? NaN)}`).join(', ')}.`,
      'Until a process has noticed, a visit waits for its deadline: 500 ms here.',
      `The PUTs took ${updates.map(({ took }) => milliseconds(took)).join(', ')}; the second and the third, through A and B, while Redis was away.`,
    ],
    claims: [
      {
        says: 'Redis was gone, and no visit failed',
        holds: failed === 0 && updates.length === 4 && columns.every(({ visits }) => visits.length > 0) && !wasUsed.includes(true),
      },
      {
        says: `what was changed through a process was never old there, and through the other for ${seconds} s at most, without any Redis`,
        holds: ownOld === 0 && Math.max(0, ...ages(gone)) <= processes.maxStaleness,
      },
      {
        says: 'once both used Redis again, no row was from before, and both agreed with the database',
        holds: Math.max(...usedAgain) < longestRecovery && ages(after, after.earlier).length === 0 && (await disagreements()) === 0,
      },
    ],
  }

  async function change(process: ServiceProcess): Promise<void> {
    population += 1
    const { status, milliseconds: took } = await process.client.put(`/cities/${city?.id}`, { population })
    if (status === 200) updates.push({ by: process.name, at: performance.now(), population, took })
  }

  /** Resolves, with the moment, when the process has taken something from Redis. */
  async function readsFromRedis({ stats }: ServiceProcess): Promise<number> {
    const { served } = await stats()
    const limit = performance.now() + longestRecovery
    while ((await stats()).served.redis === served.redis && performance.now() < limit) await pause(10)
    return performance.now()
  }

  async function disagreements(): Promise<number> {
    let different = 0
    for (const { id } of known) {
      const right = await citiesIn(database).city(id)
      for (const { client } of processes.pair) if ((await client.get<City>(`/cities/${id}`)).body.population !== right?.population) different += 1
    }
    return different
  }
}
