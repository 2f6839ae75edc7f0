import { setTimeout as pause } from 'node:timers/promises'
import { Client } from '../../client.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { countriesBySize, type City } from '../../world.js'
import type { SharedStage } from './shared-stage.js'

const atOnce = 25
/** So long a process waits for what another one is loading; then it loads for itself. */
const longestWait = 10_000
const attempts = 3

/** Many visitors of both processes ask for the same page at the same moment, and nobody has it. */
export async function showCrowd({ cities, database, processes }: SharedStage, { crowd }: { crowd: number }): Promise<Chapter> {
  // A kind of page that no show before this one asks these processes for.
  const paths = countriesBySize(cities).slice(6, 6 + attempts).map((code) => `/countries/${code}/cities?top=20`)
  let path = ''
  let gathering: Gathering
  do {
    path = paths.shift() ?? '/countries/US/cities?top=20'
    gathering = await gather({ database, processes }, path, crowd)
    // On a machine that was so busy, another page: what takes too long to come together shows nothing.
  } while (gathering.waited > longestWait && paths.length > 0)
  const { together, answers, queries, took } = gathering

  const answered = answers.filter(({ status }) => status === 200).length
  const different = new Set(answers.map(({ body }) => JSON.stringify(body))).size
  return {
    heading: `${count(crowd)} visitors of both processes, one cold page, the same moment: GET ${path}`,
    table: [
      ['', 'counted'],
      ['in the two processes at the same moment', count(together)],
      ['answered', count(answered)],
      ['different answers', count(different)],
      ['database queries', count(queries)],
      ['until the last had an answer', milliseconds(took)],
    ],
    notes: ['The database was held until all of them had arrived; the time counts from when it was let go.'],
    claims: [
      { says: `all ${count(crowd)} were waiting together, and all had the same answer`, holds: together === crowd && answered === crowd && different === 1 },
      { says: 'in both processes together they cost one query', holds: queries === 1 },
    ],
  }
}

interface Gathering {
  readonly together: number
  readonly answers: Answers
  readonly queries: number
  /** How long the second process waited for what the first was loading, at most. */
  readonly waited: number
  readonly took: number
}

/** Holds the database until all have arrived at the one process, and then at the other. */
async function gather({ database, processes }: Pick<SharedStage, 'database' | 'processes'>, path: string, crowd: number): Promise<Gathering> {
  const each = crowd / 2
  const before = database.queries
  const letGo = database.hold()
  const parties: ReturnType<typeof send>[] = []
  let over = false
  let began = NaN
  const arriving = async (): Promise<number> => {
    for (const process of processes.pair) {
      began = performance.now()
      const party = send(process, path, each)
      // Awaited below, unless something fails before; then that is what to tell of.
      party.answers.catch(() => {})
      parties.push(party)
      // No answer can come before the database is let go, unless something is broken; then there is no use in waiting.
      if (!(await Promise.race([everyoneIn(process, each, () => over), ...parties.map(({ first }) => first.then(() => false))]))) return 0
    }
    return crowd
  }
  const together = await arriving().finally(() => {
    over = true
    letGo()
  })
  const allIn = performance.now()
  const answers = (await Promise.all(parties.map((party) => party.answers))).flat()
  const ended = performance.now()
  for (const { client } of parties) client.close()
  return { together, answers, queries: database.queries - before, waited: ended - began, took: ended - allIn }
}

/**
 * Connections of their own, since nobody after them needs so many. They come within a second or two and not in one turn of
 * the event loop: so many at once would keep a process from reading what Redis answers for longer than it waits for that.
 */
function send({ origin }: ServiceProcess, path: string, visitors: number) {
  const client = new Client(origin)
  const first = client.get<City[]>(path)
  const arrive = async (): Promise<Answers> => {
    const requests = [first]
    while (requests.length < visitors) {
      requests.push(client.get(path))
      if (requests.length % atOnce === 0) await pause(10)
    }
    return Promise.all(requests)
  }
  return { client, answers: arrive(), first }
}

type Answers = Awaited<ReturnType<typeof Client.prototype.get<City[]>>>[]

async function everyoneIn({ stats }: ServiceProcess, visitors: number, over: () => boolean): Promise<boolean> {
  while (!over() && (await stats()).open < visitors) await pause(20)
  return true
}
