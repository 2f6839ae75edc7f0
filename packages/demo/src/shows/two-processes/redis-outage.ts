import { setTimeout as pause } from 'node:timers/promises'
import type { RedisServer } from '@tiercel/core/testing'
import { citiesIn } from '../../cities.js'
import { percentile } from '../../latency.js'
import { ageOf, type Update } from '../../readings.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess, ServiceStats } from '../../service-processes.js'
import { waitFor } from '../../wait-for.js'
import type { City } from '../../world.js'
import { popular, seededRandom } from '../../zipf.js'
import type { SharedStage } from './shared-stage.js'
import { SteadyLoad } from './steady-load.js'

/** In milliseconds. What the product has when nothing is said is half of that; here visitors, database and processes share the cores of one machine. */
const deadline = 500

/** Redis stops answering in the middle of a steady load and comes back, and rows change all the while. */
export async function showRedisOutage(stage: SharedStage & { redisServer: RedisServer }, { away }: { away: number }): Promise<Chapter> {
  const { cities, database, redisServer } = stage
  const processes = await stage.processes.another(deadline)
  const [a, b] = processes.pair
  const known = cities.slice(0, 100)
  const [city] = known
  if (!city) throw new RangeError('The show needs a city')
  for (const { id } of known) for (const { client } of processes.pair) await client.get(`/cities/${id}`)
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
  let wasGone: boolean
  let isBack: boolean
  let stoppedFor: number
  const usedAgain: number[] = []
  try {
    await pause(500)
    await change(a)
    await pause(500)
    await visited()

    redisServer.pause()
    const stopped = begin('no Redis')
    await pause(away / 4)
    await change(a)
    await pause(away / 4)
    await change(b)
    await pause(away / 2)
    wasGone = await waitFor(async () => (await statsOfBoth()).every(({ redis }) => redis === 'not used'))
    await visited()

    const served = (await statsOfBoth()).map((stats) => stats.served.redis)
    redisServer.resume()
    const back = begin('coming back')
    stoppedFor = back - stopped
    // Each takes something from Redis again.
    isBack = await waitFor(async () => {
      for (const [index, stats] of (await statsOfBoth()).entries()) if (stats.served.redis > (served[index] ?? NaN)) usedAgain[index] ??= performance.now() - back
      return processes.pair.every((_, index) => usedAgain[index] !== undefined)
    })
    // What one of them still had to tell Redis is on its way to the other for a moment.
    const until = performance.now() + processes.maxStaleness
    await waitFor(async () => performance.now() > until || (await shownByBoth()).every((shown) => shown === population))
    await visited()
    begin('after')
    await change(b)
    await pause(processes.maxStaleness)
    await visited()
  } finally {
    await load.end()
  }
  begin('end')
  const disagreed = await disagreements()
  await processes.close()

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
    heading: `Redis stops answering for ${(stoppedFor / 1000).toFixed(1)} s, under a steady load on both, and ${city.name} changes meanwhile`,
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
      `Until a process has noticed, a visit waits for its deadline: ${deadline} ms here.`,
      `The PUTs took ${updates.map(({ took }) => milliseconds(took)).join(', ')}; the second and the third, through A and B, while Redis was away.`,
    ],
    claims: [
      {
        says: 'Redis was gone, and no visit failed',
        holds: failed === 0 && updates.length === 4 && columns.every(({ visits }) => visits.length > 0) && wasGone,
      },
      {
        says: `what was changed through a process was never old there, and through the other for ${seconds} s at most, without any Redis`,
        holds: ownOld === 0 && Math.max(0, ...ages(gone)) <= processes.maxStaleness,
      },
      {
        says: 'once both used Redis again, no row was from before, and both agreed with the database',
        holds: isBack && ages(after, after.earlier).length === 0 && disagreed === 0,
      },
    ],
  }

  async function change(process: ServiceProcess): Promise<void> {
    population += 1
    const { status, milliseconds: took } = await process.client.put(`/cities/${city?.id}`, { population })
    if (status === 200) updates.push({ by: process.name, at: performance.now(), population, took })
  }

  /** Somebody has had an answer since the phase began. */
  function visited(): Promise<boolean> {
    const { from } = phases.at(-1) ?? { from: Infinity }
    return waitFor(() => load.visits.some(({ ended }) => ended >= from))
  }

  function statsOfBoth(): Promise<ServiceStats[]> {
    return Promise.all(processes.pair.map(({ stats }) => stats()))
  }

  function shownByBoth(): Promise<number[]> {
    return Promise.all(processes.pair.map(async ({ client }) => (await client.get<City>(`/cities/${city?.id}`)).body.population))
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
