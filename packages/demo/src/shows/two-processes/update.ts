import { percentile } from '../../latency.js'
import { ageOf, type Reading, type Update } from '../../readings.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { countriesBySize, type City } from '../../world.js'
import type { SharedStage } from './shared-stage.js'

const readersOfEach = 4

/** A city changes through one process, then through the other, while visitors of both read it. */
export async function showRemoteUpdate(stage: SharedStage, { updates: rounds }: { updates: number }): Promise<Chapter> {
  const { cities, processes } = stage
  const [a, b] = processes.pair
  const [home] = countriesBySize(cities)
  const known = cities.filter(({ country }) => country === home).slice(0, 40)
  const [city] = known
  if (!home || !city) throw new RangeError('The show needs a country')
  const path = `/cities/${city.id}`
  const pages = [...known.map(({ id }) => `/cities/${id}`), `/countries/${home}`, `/countries/${home}/cities?top=20`]
  for (const page of pages) for (const { client } of processes.pair) await client.get(page)

  const outcome = { writer: 0, writerOld: 0, other: 0, otherOld: 0, again: 0, delays: [] as number[], sinceSent: [] as number[] }
  for (let round = 0; round < rounds; round += 1) {
    const [writer, other] = round % 2 === 0 ? [a, b] : [b, a]
    const { update, sentAt, readings } = await change(writer, other)
    const later = readings.filter(({ began }) => began > update.at)
    const old = later.filter((reading) => ageOf(reading, [update]) > 0)
    outcome.writer += later.filter(({ by }) => by === writer.name).length
    outcome.other += later.filter(({ by }) => by === other.name).length
    outcome.writerOld += old.filter(({ by }) => by === writer.name).length
    outcome.otherOld += old.filter(({ by }) => by === other.name).length
    outcome.again += backAgain(readings, update)
    const before = readings.filter(({ by, population }) => by === other.name && population < update.population)
    outcome.sinceSent.push(Math.max(0, ...before.map(({ began }) => began - sentAt)))
    outcome.delays.push(Math.max(0, ...old.map((reading) => ageOf(reading, [update]))))
  }

  const again = await visitAll(a)
  const shared = await visitAll(b)
  const others = pages.length - 1
  const longest = Math.max(...outcome.delays)
  return {
    heading: `${city.name} changes ${count(rounds)} times: PUT ${path} through A and B in turn, while both are read`,
    table: [
      ['', 'counted'],
      ['reads of the process that wrote, begun after its PUT was confirmed', count(outcome.writer)],
      ['of them with the old row', count(outcome.writerOld)],
      ['reads of the other process, begun after that', count(outcome.other)],
      ['of them with the old row', count(outcome.otherOld)],
      ['the last of those began after the confirmation at the latest', longest > 0 ? milliseconds(longest) : '-'],
      ['the other showed the old row, after the PUT was sent, for: median', milliseconds(percentile(outcome.sinceSent, 0.5))],
      ['longest', milliseconds(Math.max(...outcome.sinceSent))],
      ['reads of either that went back to the old row after the new one', count(outcome.again)],
      [`pages of ${home} that A loaded again, of ${others} beside that of ${city.name}`, count(again.database)],
      ['that B then took from Redis, as its own were gone', count(shared.redis)],
    ],
    notes: [`Neither knows of the other: what A invalidates, B hears of through Redis. If it did not, ${processes.maxStaleness / 1000} s would be the limit.`],
    claims: [
      { says: 'through the process that wrote, nobody saw the old row again', holds: outcome.writer > 0 && outcome.writerOld === 0 },
      {
        says: `the other process stopped serving it within ${processes.maxStaleness / 1000} s, and neither went back to it`,
        holds: outcome.other > 0 && longest <= processes.maxStaleness && outcome.again === 0,
      },
      { says: 'the room was gone from both: each page was loaded once, for both', holds: again.database === others && shared.redis === others },
    ],
  }

  /** One update, and everything that was read from a little before it until both processes had shown it for a while. */
  async function change(writer: ServiceProcess, other: ServiceProcess): Promise<{ update: Update; sentAt: number; readings: Reading[] }> {
    const population = (await writer.client.get<City>(path)).body.population + 1
    const update: Update = { by: writer.name, at: Infinity, population }
    const readings: Reading[] = []
    const freshOf = (name: string): number =>
      readings.filter(({ by, began, population: shown }) => by === name && began > update.at && shown === population).length
    const isSettled = (): boolean => performance.now() > update.at + 2 * processes.maxStaleness || (freshOf(writer.name) >= 10 && freshOf(other.name) >= 10)
    const reader = async ({ name, client }: ServiceProcess): Promise<void> => {
      while (!isSettled()) {
        const began = performance.now()
        const { body } = await client.get<City>(path)
        readings.push({ by: name, began, ended: performance.now(), population: body.population })
      }
    }
    const readers = [writer, other].flatMap((process) => Array.from({ length: readersOfEach }, () => reader(process)))
    const sentAt = performance.now()
    const put = async (): Promise<void> => {
      const { status } = await writer.client.put(path, { population })
      if (status !== 200) throw new Error(`The city could not be changed: ${status}`)
      update.at = performance.now()
    }
    await Promise.all([...readers, put()])
    return { update, sentAt, readings }
  }

  /** Visits all other pages of the country, and gives how many came from elsewhere than the memory of the process. */
  async function visitAll({ client, stats }: ServiceProcess): Promise<{ database: number; redis: number }> {
    const before = (await stats()).served
    for (const page of pages) if (page !== path) await client.get(page)
    const after = (await stats()).served
    return { database: after.database - before.database, redis: after.redis - before.redis }
  }
}

/** Readings of a process with the old row that began when an earlier one of the same process had shown the new. */
function backAgain(readings: readonly Reading[], { population }: Update): number {
  return readings.filter(
    (old) => old.population < population && readings.some((fresh) => fresh.by === old.by && fresh.population >= population && fresh.ended < old.began),
  ).length
}
