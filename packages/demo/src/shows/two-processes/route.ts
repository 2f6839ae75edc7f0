import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { countriesBySize } from '../../world.js'
import type { SharedStage } from './shared-stage.js'

/** By one name for both processes, as behind a load balancer: it is part of what names a response. */
const host = 'cities.example'

/** A route behind `cacheResponses`: whole answers, from both processes' cache and from visitors' own; and a row changes that some of them show. */
export async function showRoute({ cities, processes }: SharedStage, { pages }: { pages: number }): Promise<Chapter> {
  const [a, b] = processes.pair
  const [changed = 'US', ...others] = countriesBySize(cities).slice(0, Math.max(2, pages / 4))
  const city = cities.find(({ country }) => country === changed)
  if (!city) throw new RangeError('The show needs a city')
  const paths = [changed, ...others].map(pathOf)

  const cold = await visit(a, paths)
  const shared = await visit(b, paths)
  const memory = await visit(b, Array.from({ length: 5 }, () => paths).flat())
  const known = await visit(b, paths, shared.etags)

  const population = city.population + 1_000_000
  const isNew = (page: string): boolean => page.includes(`<td>${population}</td>`)
  const { status } = await b.client.put(`/cities/${city.id}`, { population })
  const confirmed = performance.now()
  const own = await visit(b, [pathOf(changed)])
  const oldFor = await oldSince(confirmed, () => a.client.page(pathOf(changed), { host }).then(({ body }) => !isNew(body)), 2 * processes.maxStaleness)
  const untouched = await visit(a, others.map(pathOf))

  const row = (what: string, { times, statuses, runs, bytes, hits }: Outcome): string[] =>
    [what, count(times.length), [...new Set(statuses)].join(', '), count(runs), count(hits), count(bytes), milliseconds(percentile(times, 0.5))]
  return {
    heading: `Whole pages from the cache: GET ${pathOf(':code')}, behind cacheResponses`,
    table: [
      ['one request at a time', 'visits', 'status', 'handler ran', 'Cache-Status: hit', 'bytes of body', 'p50'],
      row('cold: asked of A', cold),
      row('then asked of B, which has them from Redis', shared),
      row('of B again, five times, from its memory', memory),
      row('by visitors who have the page: If-None-Match', known),
      row(`after a PUT of ${city.name} through B: its country, of B`, own),
      row('other countries, of A', untouched),
    ],
    notes: [
      'A page is in the room of its country, as the rows are: the PUT names no page.',
      oldFor === 0 ? 'Once it was confirmed, A gave the old page to nobody.' : `A gave the old page to somebody who asked ${milliseconds(oldFor)} after it was confirmed, and to nobody later.`,
    ],
    claims: [
      { says: 'A ran the handler once for each page, and B not at all', holds: cold.runs === paths.length && shared.runs + memory.runs === 0 && shared.same(cold) && memory.hits === memory.times.length },
      { says: 'who had a page already was told so, without a body', holds: known.statuses.every((each) => each === 304) && known.bytes === 0 && known.runs === 0 },
      { says: 'the process that wrote showed the new page at once', holds: status === 200 && [...own.pages.values()].every(isNew) && own.runs <= 1 },
      { says: `the other did within ${processes.maxStaleness / 1000} s, and pages of other countries stayed`, holds: oldFor <= processes.maxStaleness && untouched.runs === 0 && untouched.same(cold) },
    ],
  }
}

async function visit(process: ServiceProcess, paths: readonly string[], etags: ReadonlyMap<string, string> = new Map()): Promise<Outcome> {
  const before = (await process.stats()).pages.runs
  const answers = []
  for (const path of paths) {
    const etag = etags.get(path)
    answers.push({ path, ...(await process.client.page(path, etag === undefined ? { host } : { host, 'if-none-match': etag })) })
  }
  const pages = new Map(answers.map(({ path, body }) => [path, body]))
  return {
    times: answers.map((answer) => answer.milliseconds),
    statuses: answers.map(({ status }) => status),
    runs: (await process.stats()).pages.runs - before,
    hits: answers.filter(({ headers }) => String(headers['cache-status']).startsWith('tiercel; hit')).length,
    bytes: answers.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0),
    etags: new Map(answers.map(({ path, headers }) => [path, String(headers.etag)])),
    same: (other) => [...pages].every(([path, body]) => body === other.pages.get(path)),
    pages,
  }
}

/** How long after `confirmed` somebody asked who was still shown the old page. */
async function oldSince(confirmed: number, isOld: () => Promise<boolean>, limit: number): Promise<number> {
  for (let longest = 0; ; await pause(1)) {
    const asked = performance.now() - confirmed
    if (!(await isOld()) || longest > limit) return longest
    longest = asked
  }
}

function pathOf(code: string): string {
  return `/pages/${code}`
}

interface Outcome {
  times: number[]
  statuses: number[]
  runs: number
  hits: number
  bytes: number
  etags: Map<string, string>
  pages: Map<string, string>
  /** Whether the pages that both were given are the same. */
  same(other: Outcome): boolean
}
