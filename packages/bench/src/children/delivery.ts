// Keeps a key in memory, listens on a channel, and tells when either was lost or heard.
import { MemoryStore } from '../../../core/dist/esm/memory/index.js'
import { openCache } from '../benchmarks/redis/open-cache.js'
import { openNodeRedis } from '../redis/clients.js'
import { converse } from './conversation.js'

const [url = '', name = '', key = '', channel = ''] = process.argv.slice(2)

/** Of the clock that all processes of a machine share. */
let happenedAt: bigint | undefined
let tell: () => void = () => {}
const happened = (): void => {
  happenedAt = process.hrtime.bigint()
  tell()
}

const drop = MemoryStore.prototype.delete
MemoryStore.prototype.delete = function (this: MemoryStore, location) {
  const had = drop.call(this, location)
  if (had && location.endsWith(key)) happened()
  return had
}

const cache = await openCache({ name, redis: url })
const subscriber = await openNodeRedis(url)
await subscriber.subscribe(channel, happened)

converse<'keep' | 'when'>(
  async (question) => {
    if (question === 'keep') {
      happenedAt = undefined
      await cache.getOrSet(key, () => ({ id: 1 }))
      // A memory that loses its last entry is cleared as a whole, with room for 10,000. It is not what a process with anything else in it pays.
      await cache.getOrSet('something else', () => ({ id: 2 }))
      if (cache.peek(key) === undefined) throw new Error('The value is not in memory')
      return 'kept'
    }
    if (happenedAt === undefined) await new Promise<void>((resolve) => (tell = resolve))
    tell = () => {}
    return { at: String(happenedAt), isKept: cache.peek(key) !== undefined }
  },
  async () => {
    subscriber.destroy()
    await cache.close()
  },
)
