import { count, milliseconds, type Chapter } from '../report.js'
import type { Service, Stage } from '../stage.js'
import { countriesBySize } from '../world.js'

/** Many visitors ask for the same page at the same moment, and it is not cached. */
export async function showStampede(stage: Stage, { visitors }: { visitors: number }): Promise<Chapter> {
  const { cities, database, cache, direct, cached } = stage
  const code = countriesBySize(cities)[40] ?? 'US'
  const path = `/countries/${code}`
  await cache.invalidate({ all: true })
  const without = await rush(direct)
  const withCache = await rush(cached)
  const row = (what: string, cell: (outcome: Outcome) => string): string[] => [what, cell(without), cell(withCache)]
  return {
    heading: `${count(visitors)} visitors, one cold page, the same moment: GET ${path}`,
    table: [
      ['', 'without cache', 'with cache'],
      row('in the service at the same moment', ({ together }) => count(together)),
      row('answered', ({ answered }) => count(answered)),
      row('database queries', ({ queries }) => count(queries)),
      row('until the last had an answer', ({ took }) => milliseconds(took)),
    ],
    notes: ['The database was held until all of them had arrived; the time counts from when it was let go.'],
    claims: [
      { says: `all ${count(visitors)} were waiting together`, holds: without.together === visitors && withCache.together === visitors },
      { says: 'with the cache they cost one query', holds: withCache.queries === 1 },
      { says: 'all of them had the same, right answer', holds: withCache.answers.size === 1 && sameAnswers(without, withCache) },
    ],
  }

  async function rush({ server, client }: Service): Promise<Outcome> {
    const before = database.queries
    let began = NaN
    const letGo = database.hold()
    const everyone = server.atOnce(visitors)
    const requests = Array.from({ length: visitors }, () => client.get(path))
    // No answer can come before the database is let go, unless something is broken; then there is no use in waiting.
    const together = await Promise.race([everyone.then(() => visitors), Promise.race(requests).then(() => 0)]).finally(() => {
      began = performance.now()
      letGo()
    })
    const answers = await Promise.all(requests)
    return {
      together,
      took: performance.now() - began,
      queries: database.queries - before,
      answered: answers.filter(({ status }) => status === 200).length,
      answers: new Set(answers.map(({ body }) => JSON.stringify(body))),
    }
  }
}

function sameAnswers(one: Outcome, other: Outcome): boolean {
  return [...one.answers].every((answer) => other.answers.has(answer)) && one.answered === other.answered
}

interface Outcome {
  together: number
  answered: number
  queries: number
  took: number
  answers: Set<string>
}
