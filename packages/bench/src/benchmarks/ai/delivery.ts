import { createAICacheService } from '@tiercel/ai'
import { setTimeout as pause } from 'node:timers/promises'
import { startConversation } from '../../children/conversation.js'
import { compare, type Comparison } from '../../comparison.js'
import { seriesOf } from '../../measure.js'
import { openNodeRedis } from '../../redis/clients.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import type { Benchmark } from '../benchmark.js'

const QUIET_MS = 2
/** Not measured: before them the code is not compiled, in either process. */
const WARM_UP = 200
const program = new URL('../../children/ai-delivery.js', import.meta.url)

/** How soon a value that is set here can be read there without waiting. */
export const aiDelivery: Benchmark = async ({ redis: { deliveries } }) =>
  withRedis(async (place) => ({
    name: 'ai-delivery',
    title: 'From a synchronous set until another process can read the value synchronously',
    comparisons: await aiDeliveriesOf(place, deliveries),
    notes: ['A bare publish is from the call until the listener in the same process is called, with a message of the same length. Both by the clock that the processes share.'],
  }))

export async function aiDeliveriesOf({ url, name }: Place, rounds: number): Promise<Comparison[]> {
  const channel = `${name}:bare`
  const ai = createAICacheService({ name, redis: url, deadline: '30s' })
  await ai.ready
  const publisher = await openNodeRedis(url)
  const peer = await startConversation(program, url, name, channel)
  const message = 'x'.repeat(80)
  const delivered: number[] = []
  const published: number[] = []
  const deliver = async (key: string, send: () => unknown): Promise<number> => {
    await peer.ask({ key })
    // The question itself must be out of the way.
    await pause(QUIET_MS)
    const began = process.hrtime.bigint()
    await send()
    const { at } = (await peer.ask('when')) as { at: string }
    return Number(BigInt(at) - began)
  }
  for (let round = -WARM_UP; round < rounds; round++) {
    const key = `key:${round}`
    const ofOurs = await deliver(key, () => ai.setSearchResults(key, { id: round, title: 'x'.repeat(40) }))
    const ofBare = await deliver('', () => publisher.publish(channel, message))
    if (round < 0) continue
    delivered.push(ofOurs)
    published.push(ofBare)
  }
  await peer.end()
  publisher.destroy()
  await ai.close()
  return [compare(undefined, seriesOf('setSearchResults', 'wall-ns', delivered), seriesOf('bare publish', 'wall-ns', published), 3)]
}
