// Reads a key that nobody has yet, many times at once, whenever it is asked to.
import { setTimeout as pause } from 'node:timers/promises'
import { openCache } from '../benchmarks/redis/open-cache.js'
import { bentocacheBeforeRedis } from '../peers/over-redis.js'
import { medium, type Sample } from '../values.js'
import { converse } from './conversation.js'

const [url = '', name = '', kind = '', readers = '', loadMs = ''] = process.argv.slice(2)

let loads = 0
const load = async (): Promise<Sample> => {
  loads++
  await pause(Number(loadMs))
  return medium.make(loadedId)
}
const loadedId = 7

const cache = kind === 'tiercel' ? await tiercel() : bentocacheBeforeRedis(url, name)

async function tiercel() {
  const opened = await openCache({ name, redis: url })
  return { getOrSet: (key: string) => opened.getOrSet(key, load), close: () => opened.close() }
}

// The first of all would be measuring the connecting and the compiling.
await Promise.all(Array.from({ length: Number(readers) }, () => cache.getOrSet(`warm-up ${process.pid}`, load)))

converse<string>(
  async (key) => {
    loads = 0
    const found = await Promise.all(Array.from({ length: Number(readers) }, () => cache.getOrSet(key, load)))
    return { loads, isRight: found.every(({ id }) => id === loadedId) }
  },
  async () => cache.close(),
)
