// Prints how much larger the heap is with many small entries in a cache, keys and values included.
import { createCache } from '@tiercel/core'
import { LRUCache } from 'lru-cache'
import { small, type Sample } from '../values.js'

const ttl = 300_000
const [kind = '', wanted = ''] = process.argv.slice(2)
const count = Number(wanted)

type Fill = (key: string, value: Sample) => unknown
interface Held {
  readonly fill: Fill
  /** Also keeps the cache alive until it is measured. */
  get(key: string): unknown
}

const kinds: Record<string, () => Held> = {
  tiercel: () => tiercel({}),
  'tiercel-tagged': () => tiercel({ tags: ['users', 'team:7'] }),
  'lru-cache': () => lru({ ttl }),
  'lru-cache-without-ttl': () => lru({}),
  map() {
    const map = new Map<string, Sample>()
    return { fill: (key, value) => map.set(key, value), get: (key) => map.get(key) }
  },
}

function tiercel(options: { tags?: readonly string[] }): Held {
  const cache = createCache({ redis: false, ttl, memory: { maxEntries: count, maxBytes: 2 ** 30 } })
  return { fill: (key, value) => cache.getOrSet(key, () => value, options), get: (key) => cache.peek(key) }
}

function lru(options: { ttl?: number }): Held {
  const cache = new LRUCache<string, Sample>({ max: count, ...options })
  return { fill: (key, value) => cache.set(key, value), get: (key) => cache.get(key) }
}

const bytes = await heapOf(kinds[kind] as () => Held)
process.stdout.write(JSON.stringify(bytes))

async function heapOf(open: () => Held): Promise<{ heap: number; buffers: number }> {
  // Once with a few, so that code and what the libraries set up are there before.
  await filled(open, 1000)
  const before = await settled()
  const held = await filled(open, count)
  const after = await settled()
  for (const id of [0, count - 1]) {
    if ((held.get(keyOf(id)) as Sample | undefined)?.id !== id) throw new Error('The cache does not hold what it was given')
  }
  return { heap: after.heapUsed - before.heapUsed, buffers: after.arrayBuffers - before.arrayBuffers }
}

async function filled(open: () => Held, entries: number): Promise<Held> {
  const held = open()
  for (let id = 0; id < entries; id++) await held.fill(keyOf(id), small.make(id))
  return held
}

function keyOf(id: number): string {
  return `user:${id}`
}

async function settled(): Promise<NodeJS.MemoryUsage> {
  for (let i = 0; i < 3; i++) {
    await new Promise(setImmediate)
    globalThis.gc?.()
  }
  return process.memoryUsage()
}
