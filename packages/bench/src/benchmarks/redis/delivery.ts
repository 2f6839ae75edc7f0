import { setTimeout as pause } from 'node:timers/promises'
import { startConversation } from '../../children/conversation.js'
import { compare, type Comparison } from '../../comparison.js'
import { seriesOf } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { openNodeRedis } from '../../redis/clients.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import type { Benchmark } from '../benchmark.js'
import { openCache } from './open-cache.js'

const KEY = 'kept'
const QUIET_MS = 2
/** Not measured: before them the code is not compiled, in either process. */
const WARM_UP = 200
const program = new URL('../../children/delivery.js', import.meta.url)

/** How soon another process has dropped what is invalidated here. */
export const deliveryToPeers: Benchmark = async ({ redis: { deliveries } }) =>
  withRedis(async (place) => ({
    name: 'redis-delivery',
    title: 'From the call of invalidate until another process has dropped the value',
    comparisons: await deliveriesOf(place, deliveries),
    notes: ['A bare publish is from the call until the listener in the same process is called, with a message of the same length. Both by the clock that the processes share.'],
  }))

export async function deliveriesOf({ url, name }: Place, rounds: number): Promise<Comparison[]> {
  const channel = `${name}:bare`
  const cache = await openCache({ name, redis: url })
  const publisher = await openNodeRedis(url)
  const peer = await startConversation(program, url, name, KEY, channel)
  const message = 'x'.repeat(80)
  const delivered: number[] = []
  const published: number[] = []
  const deliver = async (send: () => Promise<unknown>, drops: boolean): Promise<number> => {
    await peer.ask('keep')
    // The question itself must be out of the way.
    await pause(QUIET_MS)
    const began = process.hrtime.bigint()
    await send()
    const { at, isKept } = (await peer.ask('when')) as { at: string; isKept: boolean }
    expect(isKept !== drops, drops ? 'the other process still had the value' : 'the other process had lost the value')
    return Number(BigInt(at) - began)
  }
  for (let round = -WARM_UP; round < rounds; round++) {
    const ofOurs = await deliver(() => cache.invalidate({ key: KEY }), true)
    const ofBare = await deliver(() => publisher.publish(channel, message), false)
    if (round < 0) continue
    delivered.push(ofOurs)
    published.push(ofBare)
  }
  await peer.end()
  publisher.destroy()
  await cache.close()
  return [compare(undefined, seriesOf('invalidate a key', 'wall-ns', delivered), seriesOf('bare publish', 'wall-ns', published), 1.5)]
}
