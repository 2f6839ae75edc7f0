// Reads what is in Redis, many readers at a time, with whatever it is started for. Each client in a process of its own: what one leaves behind, in memory and
// in timers, is not another's to clear away.
import { openCache } from '../benchmarks/redis/open-cache.js'
import { openIoredis, openNodeRedis } from '../redis/clients.js'
import { RESP_TYPES } from 'redis'
import { bentocacheInRedis, cacheableInRedis } from '../peers/over-redis.js'
import { ttlMs } from '../peers/index.js'
import { shapeNamed, type Sample } from '../values.js'
import { bareReader } from './bare-mget.js'
import { converse } from './conversation.js'

export type ReadingKind = 'node-redis' | 'ioredis' | 'ioredis, auto-pipelining' | 'tiercel over node-redis' | 'tiercel over ioredis' | 'bare MGET over node-redis' | 'bare MGET over ioredis' | 'bentocache' | 'cacheable'

export interface Fill {
  readonly fill: { readonly shape: string; readonly count: number }
}

export interface Reading {
  readonly way: string
  readonly shape: string
  readonly count: number
  readonly readers: number
  readonly ms: number
}

/** Per read. */
export interface Read {
  readonly wallNs: number
  readonly processorNs: number
}

type Way = (key: string) => Promise<Sample | undefined>

interface Client {
  readonly ways: Readonly<Record<string, Way>>
  set(key: string, value: Sample): Promise<unknown>
  /** Throws when what was read did not come from Redis. */
  check?(): void
  close(): Promise<unknown>
}

const [kind, url, name] = process.argv.slice(2) as [ReadingKind, string, string]

let loads = 0
const load = async (): Promise<Sample> => {
  loads++
  return { id: Number.NaN }
}

/** Fewer than the keys between two reads of the same, so that it never has what is asked for. */
const tinyMemory = { maxEntries: 16 }

const kinds: Record<ReadingKind, () => Promise<Client>> = {
  async 'node-redis'() {
    const client = await openNodeRedis(url)
    return { ways: { get: async (key) => parsed(await client.get(key)) }, set: (key, value) => client.set(key, JSON.stringify(value), { PX: ttlMs }), close: async () => client.destroy() }
  },
  ioredis: () => overIoredis(false),
  'ioredis, auto-pipelining': () => overIoredis(true),
  'tiercel over node-redis': async () => tiercel(await openNodeRedis(url)),
  'tiercel over ioredis': async () => tiercel(await openIoredis(url)),
  async 'bare MGET over node-redis'() {
    const client = await openNodeRedis(url)
    const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
    return bareMget((keys) => bytes.mGet(keys), () => client.destroy())
  },
  async 'bare MGET over ioredis'() {
    const client = await openIoredis(url)
    return bareMget((keys) => client.mgetBuffer(keys), () => client.disconnect())
  },
  async bentocache() {
    const cache = bentocacheInRedis(url, name)
    return { ...cache, ways: { get: (key) => cache.get(key), getOrSet: (key) => cache.getOrSet(key, load) } }
  },
  async cacheable() {
    const cache = cacheableInRedis(url, name)
    return { ...cache, ways: { get: (key) => cache.get(key), getOrSet: (key) => cache.getOrSet(key, load) } }
  },
}

async function overIoredis(enableAutoPipelining: boolean): Promise<Client> {
  const client = await openIoredis(url, { enableAutoPipelining })
  return { ways: { get: async (key) => parsed(await client.get(key)) }, set: (key, value) => client.set(key, JSON.stringify(value), 'PX', ttlMs), close: async () => client.disconnect() }
}

/** Reads what a cache has stored, without one. */
async function bareMget(mget: Parameters<typeof bareReader>[1], end: () => void): Promise<Client> {
  const cache = await openCache({ name, redis: url })
  return {
    ways: { get: bareReader(name, mget) },
    set: (key, value) => cache.set(key, value, { memory: false }),
    async close() {
      await cache.close()
      end()
    },
  }
}

async function tiercel(template: Awaited<ReturnType<typeof openNodeRedis>> | Awaited<ReturnType<typeof openIoredis>>): Promise<Client> {
  const cache = await openCache({ name, redis: template })
  const tiny = await openCache({ name, redis: template, memory: tinyMemory })
  return {
    ways: {
      'get, memory: false': (key) => cache.get<Sample>(key, { memory: false }),
      'getOrSet, memory: false': (key) => cache.getOrSet(key, () => load(), { memory: false }),
      'get, tiny memory': (key) => tiny.get<Sample>(key),
      'getOrSet, tiny memory': (key) => tiny.getOrSet(key, () => load()),
    },
    set: (key, value) => cache.set(key, value, { memory: false }),
    check() {
      const [first, second] = [cache.stats(), tiny.stats()]
      if (first.memory.hits + second.memory.hits > 0) throw new Error('memory answered what Redis was to answer')
      if (first.misses + second.misses > 0) throw new Error('not every read was a hit')
    },
    async close() {
      await cache.close()
      await tiny.close()
      if ('destroy' in template) template.destroy()
      else template.disconnect()
    },
  }
}

function parsed(text: string | null): Sample | undefined {
  return text === null ? undefined : (JSON.parse(text) as Sample)
}

const client = await kinds[kind]()
/** Where reading goes on: of each memory, so that a tiny one is not asked for what it read last. */
const places = new Map<string, number>()

/** So many readers at a time, each of whom reads on as soon as it has its value. */
async function readFor({ way, shape, count, readers, ms }: Reading): Promise<Read> {
  const read = client.ways[way] as Way
  const keys = Array.from({ length: count }, (_, id) => keyOf(shape, id))
  const memory = way.slice(way.indexOf(',') + 1)
  let place = places.get(memory) ?? 0
  let operations = 0
  const began = performance.now()
  const before = process.cpuUsage()
  const reader = async (): Promise<void> => {
    do {
      const id = place++ % count
      const found = await read(keys[id] as string)
      if (found?.id !== id) throw new Error(`${kind}: ${way} gave another value than is in Redis`)
      operations++
    } while (performance.now() - began < ms)
  }
  await Promise.all(Array.from({ length: readers }, reader))
  const { user, system } = process.cpuUsage(before)
  const wallMs = performance.now() - began
  places.set(memory, place)
  if (loads > 0) throw new Error(`the loader ran ${loads} times for values that are in Redis`)
  client.check?.()
  return { wallNs: (wallMs * 1e6) / operations, processorNs: ((user + system) * 1000) / operations }
}

async function fill({ fill: { shape, count } }: Fill): Promise<true> {
  const { make } = shapeNamed(shape)
  for (let id = 0; id < count; id++) await client.set(keyOf(shape, id), make(id))
  return true
}

function keyOf(shape: string, id: number): string {
  // The raw clients have no namespace of their own.
  return `${kind.includes('redis') && !kind.includes(' over ') ? `${name}:` : ''}${shape === '170 bytes' ? 'small' : 'large'}:${id}`
}

converse<Fill | Reading>(async (question) => ('fill' in question ? fill(question) : readFor(question)), () => client.close())
