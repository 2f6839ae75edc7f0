import type { Cache } from '@tiercel/core'
import { compare, type Comparison } from '../../comparison.js'
import { seriesOf } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import type { NodeRedis } from '../../redis/clients.js'
import { longestCommandOf } from '../../redis/slow-log.js'
import { writeMembers, type Members } from './members.js'

/** As the cache's own sweep. */
const COUNT = '1000'
const LONGEST_MS = 10

/** Invalidates few keys among many by a pattern, in turn with a bare walk through all keys; at the end the many too. */
export async function sweepPatterns(cache: Cache, admin: NodeRedis, many: Members, few: Members, sweeps: number): Promise<Comparison[]> {
  const ofFew: number[] = []
  const ofScan: number[] = []
  const ofMatch: number[] = []
  let longest: number | undefined = 0
  const noteLongest = (us: number | undefined): void => {
    longest = us === undefined || longest === undefined ? undefined : Math.max(longest, us)
  }
  const sweep = async (pattern: string, count: number): Promise<number> => {
    const began = performance.now()
    const result = await cache.invalidatePattern(pattern)
    const took = (performance.now() - began) * 1e6
    expect(result.durable && result.count === count, `${pattern} matched ${String(result.count)} keys in place of ${count}`)
    return took
  }
  for (let i = 0; i < sweeps; i++) {
    ofScan.push(await scan(admin, many.count + few.count))
    ofMatch.push(await scan(admin, few.count, `*{${few.room}:*}:v`))
    noteLongest(await longestCommandOf(admin, async () => ofFew.push(await sweep(`${few.room}:*`, few.count))))
    await writeMembers(cache, admin, few.room, few.count)
  }
  const ofMany: number[] = []
  noteLongest(await longestCommandOf(admin, async () => ofMany.push(await sweep(`${many.room}:*`, many.count))))

  const all = (many.count + few.count).toLocaleString('en-US')
  const us = seriesOf(`pattern of ${few.count.toLocaleString('en-US')} among ${all} keys`, 'wall-ns', ofFew)
  const bare = seriesOf(`SCAN COUNT ${COUNT} through all`, 'wall-ns', ofScan)
  return [
    compare(undefined, us, bare, 2),
    compare(undefined, us, seriesOf(`SCAN COUNT ${COUNT} MATCH through all`, 'wall-ns', ofMatch)),
    compare(undefined, seriesOf(`pattern of ${many.count.toLocaleString('en-US')} among these`, 'wall-ns', ofMany), seriesOf(bare.name, 'wall-ns', [bare.median])),
    ...(longest === undefined
      ? []
      : [compare(undefined, seriesOf('longest command of a sweep', 'wall-ns', [longest * 1000]), seriesOf(`${LONGEST_MS} ms`, 'wall-ns', [LONGEST_MS * 1e6]), 1)]),
  ]
}

async function scan(admin: NodeRedis, atLeast: number, match?: string): Promise<number> {
  const began = performance.now()
  let cursor = '0'
  let found = 0
  do {
    const [next, keys] = (await admin.sendCommand(['SCAN', cursor, ...(match === undefined ? [] : ['MATCH', match]), 'COUNT', COUNT])) as unknown as [string, string[]]
    cursor = next
    found += keys.length
  } while (cursor !== '0')
  const took = (performance.now() - began) * 1e6
  expect(found >= atLeast, `a bare SCAN found ${found} keys where there are at least ${atLeast}`)
  return took
}
