import type { Comparison } from '../../comparison.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import type { Benchmark } from '../benchmark.js'
import { writeMembers } from './members.js'
import { openCache } from './open-cache.js'
import { invalidateRooms } from './rooms.js'
import { sweepPatterns } from './sweeps.js'

const FEW = 1000

export const invalidationInRedis: Benchmark = async ({ redis: { members, roomRounds, sweeps } }) =>
  withRedis(async (place) => {
    const { comparisons, note } = await invalidationsOf(place, { few: FEW, many: members, roomRounds, sweeps })
    return {
      name: 'redis-invalidation',
      title: 'Invalidating in Redis: a room by the number of its members, a pattern by the number of keys',
      comparisons,
      notes: [
        note,
        'A sweep goes through all keys twice; the bare SCAN once, and is sent every name, where the sweep has the server compare. The longest command is by SLOWLOG.',
        'Nothing but time and the random lengths in a message differ between two runs.',
      ],
    }
  })

export interface Sizes {
  readonly few: number
  readonly many: number
  readonly roomRounds: number
  readonly sweeps: number
}

/** Both on the same keys, as writing them takes longest. */
export async function invalidationsOf({ url, name, admin }: Place, { few, many, roomRounds, sweeps }: Sizes): Promise<{ comparisons: Comparison[]; note: string }> {
  const cache = await openCache({ name: `${name}-cache`, redis: url, ttl: '1h' })
  try {
    // Names of one length, as the length is sent.
    const small = await writeMembers(cache, admin, 'few-', few)
    const large = await writeMembers(cache, admin, 'many', many)
    const rooms = await invalidateRooms(cache, admin, large, small, roomRounds)
    return { comparisons: [...rooms.comparisons, ...(await sweepPatterns(cache, admin, large, small, sweeps))], note: rooms.note }
  } finally {
    await cache.close()
  }
}
