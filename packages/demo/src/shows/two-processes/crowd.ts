import { setTimeout as pause } from 'node:timers/promises'
import { Client } from '../../client.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { countriesBySize, type City } from '../../world.js'
import type { SharedStage } from './shared-stage.js'

const atOnce = 25

/** Many visitors of both processes ask for the same page at the same moment, and nobody has it. */
export async function showCrowd({ cities, database, processes }: SharedStage, { crowd }: { crowd: number }): Promise<Chapter> {
  // A kind of page that no show before this one asks these processes for.
  const path = `/countries/${countriesBySize(cities)[6] ?? 'US'}/cities?top=20`
  const each = crowd / 2
  const before = database.queries
  const letGo = database.hold()
  const parties = processes.pair.map((process) => send(process, path, each))
  const answering = Promise.all(parties.map(({ answers }) => answers))
  // Awaited below, unless something fails before; then that is what to tell of.
  answering.catch(() => {})
  let over = false
  // No answer can come before the database is let go, unless something is broken; then there is no use in waiting.
  const waiting = Promise.all(processes.pair.map((process) => everyoneIn(process, each, () => over)))
  const together = await Promise.race([waiting.then(() => crowd), ...parties.map(({ first }) => first.then(() => 0))]).finally(() => {
    over = true
    letGo()
  })
  const began = performance.now()
  const answers = (await answering).flat()
  const took = performance.now() - began
  const queries = database.queries - before
  for (const { client } of parties) client.close()

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

async function everyoneIn({ stats }: ServiceProcess, visitors: number, over: () => boolean): Promise<void> {
  while (!over() && (await stats()).open < visitors) await pause(20)
}
