import { startConversation, type Conversation } from '../../children/conversation.js'
import type { Read, ReadingKind } from '../../children/reading.js'
import { compareTimed, fasterBy, type Comparison } from '../../comparison.js'
import { seriesOf, type Plan, type Timed } from '../../measure.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import { medium, small, type Shape } from '../../values.js'
import type { Benchmark } from '../benchmark.js'

const KEYS = 1024
const program = new URL('../../children/reading.js', import.meta.url)

/** What it costs to find a value in Redis and not in memory. */
export const readFromRedis: Benchmark = async ({ redis: { plan, readers, readsLarge } }) =>
  withRedis(async (place) => ({
    name: 'redis-read',
    title: `A hit in Redis, of ${KEYS.toLocaleString('en-US')} keys in turn, by the clock`,
    comparisons: await readsOf(place, [...readers.map((many) => ({ shape: small, readers: many })), ...readsLarge.map((many) => ({ shape: medium, readers: many }))], KEYS, plan),
    notes: [
      'Two ways to have nothing in memory: "memory: false" with every call; "tiny memory" has room for 16 entries, and every read writes to it.',
      'Each of the readers reads on as soon as it has its value. The ratio is that of wall time per read; "processor" is the ratio of processor time of the reading process.',
      'The raw clients: GET with JSON.parse, redis 6 and ioredis 6 as they come, and ioredis told to pipeline by itself. Each client has a process of its own.',
      '"bare MGET, checked" is the least that a hit can cost with a client: reads of one tick in one MGET, with checksum, hash of the key and token checked, and nothing else.',
    ],
  }))

export interface Setting {
  readonly shape: Shape
  readonly readers: number
}

const clients = ['node-redis', 'ioredis'] as const
const ways = ['get, memory: false', 'getOrSet, memory: false', 'get, tiny memory', 'getOrSet, tiny memory'] as const
const peerWays = ['get', 'getOrSet'] as const

/** Where caches are compared too. */
const CROWD = 64

export async function readsOf(place: Place, settings: readonly Setting[], keys: number, plan: Plan): Promise<Comparison[]> {
  const processes = new Map<ReadingKind, Conversation>()
  try {
    for (const kind of ['node-redis', 'ioredis', 'ioredis, auto-pipelining', 'tiercel over node-redis', 'tiercel over ioredis', 'bare MGET over node-redis', 'bare MGET over ioredis', 'bentocache', 'cacheable'] as const) {
      const child = await startConversation(program, kind, place.url, `${place.name}-${kind.replaceAll(/\W+/g, '-')}`)
      processes.set(kind, child)
      for (const shape of new Set(settings.map((setting) => setting.shape.name))) await child.ask({ fill: { shape, count: keys } })
    }
    await warmUp(processes, settings, keys, plan)
    const comparisons: Comparison[] = []
    for (const setting of settings) comparisons.push(...linesOf(setting, await readIn(processes, setting, keys, plan)))
    return comparisons
  } finally {
    await Promise.all([...processes.values()].map((child) => child.end()))
  }
}

interface Reader {
  readonly kind: ReadingKind
  readonly way: string
}

function readersIn({ shape, readers }: Setting): Reader[] {
  const raw = (['node-redis', 'ioredis', 'ioredis, auto-pipelining', 'bare MGET over node-redis', 'bare MGET over ioredis'] as const).map((kind) => ({ kind, way: 'get' }))
  const ours = clients.flatMap((client) => ways.map((way) => ({ kind: `tiercel over ${client}` as const, way })))
  const caches = (['bentocache', 'cacheable'] as const).flatMap((kind) => peerWays.map((way) => ({ kind, way })))
  return [...raw, ...ours, ...(shape === small && readers === CROWD ? caches : [])]
}

/** Until V8 has compiled what is going to be measured. Many readers get there sooner, and all processes at once. */
async function warmUp(processes: ReadonlyMap<ReadingKind, Conversation>, settings: readonly Setting[], count: number, { warmUpMs }: Plan): Promise<void> {
  const shapes = new Set(settings.map(({ shape }) => shape.name))
  await Promise.all(
    [...processes].map(async ([kind, child]) => {
      const ofKind = readersIn({ shape: small, readers: CROWD }).filter((reader) => reader.kind === kind)
      for (const shape of shapes) for (const { way } of ofKind) await child.ask({ way, shape, count, readers: CROWD, ms: warmUpMs })
    }),
  )
}

/** In turns, as `measure` does; but the young generation is left alone, since each process has only its own to collect. */
async function readIn(processes: ReadonlyMap<ReadingKind, Conversation>, setting: Setting, count: number, { rounds, sampleMs }: Plan): Promise<(wanted: string) => Timed> {
  const all = readersIn(setting).map((reader) => ({ ...reader, reads: [] as Read[] }))
  const { shape, readers } = setting
  const read = async ({ kind, way }: Reader, ms: number): Promise<Read> => (await processes.get(kind)?.ask({ way, shape: shape.name, count, readers, ms })) as Read
  for (const reader of all) await read(reader, sampleMs)
  for (let round = 0; round < rounds; round++) {
    for (const reader of all) {
      await read(reader, sampleMs / 4)
      reader.reads.push(await read(reader, sampleMs))
    }
  }
  const measured = new Map(
    all.map(({ kind, way, reads }) => {
      const name = nameOf(kind, way)
      const wall = seriesOf(name, 'wall-ns', reads.map(({ wallNs }) => wallNs))
      return [name, { wall, processor: seriesOf(name, 'ns', reads.map(({ processorNs }) => processorNs)) }]
    }),
  )
  return (wanted) => measured.get(wanted) as Timed
}

function linesOf({ shape, readers }: Setting, named: (wanted: string) => Timed): Comparison[] {
  const what = `${shape.name}, ${readers} reader${readers === 1 ? '' : 's'}`
  const line = (us: string, peer: string, target?: number) => compareTimed(what, named(us), named(peer), target)
  const lines = clients.flatMap((client) => ways.map((way) => line(nameOf(`tiercel over ${client}`, way), client, shape === small ? targetOf(client, readers) : undefined)))
  for (const client of clients) lines.push(line(nameOf(`bare MGET over ${client}`, 'get'), client))
  lines.push(line(nameOf('tiercel over ioredis', 'get, memory: false'), 'ioredis, auto-pipelining'))
  if (shape !== small || readers !== CROWD) return lines
  for (const way of peerWays) {
    lines.push(line(nameOf('tiercel over ioredis', `${way}, memory: false`), nameOf('bentocache', way)))
    lines.push(line(nameOf('tiercel over node-redis', `${way}, memory: false`), nameOf('cacheable', way)))
  }
  return lines
}

function nameOf(kind: ReadingKind, way: string): string {
  if (kind.startsWith('tiercel over ')) return `${way} (${kind.slice('tiercel over '.length)})`
  if (kind.startsWith('bare MGET over ')) return `bare MGET, checked (${kind.slice('bare MGET over '.length)})`
  return kind === 'bentocache' || kind === 'cacheable' ? `${kind} ${way}` : kind
}

function targetOf(client: 'node-redis' | 'ioredis', readers: number): number | undefined {
  if (readers === 1) return 1.15
  if (readers === CROWD) return fasterBy(client === 'node-redis' ? 3 : 2)
  return undefined
}
