import { startConversation } from '../../children/conversation.js'
import { compare, type Comparison } from '../../comparison.js'
import { seriesOf } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import type { Benchmark } from '../benchmark.js'

const PROCESSES = 4
const READERS = 1000
const LOAD_MS = 50
const program = new URL('../../children/cold-key.js', import.meta.url)

/** Many in several processes who want the same key at the same moment, and it is nowhere. */
export const coldAcrossProcesses: Benchmark = async ({ redis: { coldRounds } }) =>
  withRedis(async (place) => ({
    name: 'redis-cold',
    title: `${READERS.toLocaleString('en-US')} concurrent readers of a cold key in each of ${PROCESSES} processes`,
    comparisons: await crowdsOf(place, PROCESSES, READERS, coldRounds),
    notes: [`The loader takes ${LOAD_MS} ms. More than one call of it by Tiercel fails the benchmark. The time is that until the last reader of all has its value.`],
  }))

export async function crowdsOf(place: Place, processes: number, readers: number, rounds: number): Promise<Comparison[]> {
  const us = await crowd(place, 'tiercel', processes, readers)
  const peer = await crowd(place, 'bentocache', processes, readers)
  for (let round = 0; round < rounds; round++) for (const each of [us, peer]) await each.rush(round)
  await us.end()
  await peer.end()
  expect(us.loads.every((count) => count === 1), `the loader ran ${us.loads.join(', ')} times for one cold key in ${processes} processes`)
  const loadsOf = (name: string, loads: readonly number[]) => seriesOf(name, 'loads', loads)
  const timesOf = (name: string, times: readonly number[]) => seriesOf(name, 'wall-ns', times)
  const alone = Array.from({ length: rounds }, () => LOAD_MS * 1e6)
  return [
    compare(undefined, loadsOf('loader calls', us.loads), loadsOf('the fewest', us.loads.map(() => 1)), 1),
    compare(undefined, loadsOf('loader calls', us.loads), loadsOf('bentocache, with its bus', peer.loads)),
    compare(undefined, timesOf('time', us.times), timesOf('the loader alone', alone)),
    compare(undefined, timesOf('time', us.times), timesOf('bentocache, with its bus', peer.times)),
  ]
}

async function crowd({ url, name }: Place, kind: 'tiercel' | 'bentocache', processes: number, readers: number) {
  const start = () => startConversation(program, url, `${name}-${kind}`, kind, String(readers), String(LOAD_MS))
  const children = await Promise.all(Array.from({ length: processes }, start))
  const loads: number[] = []
  const times: number[] = []
  return {
    loads,
    times,
    async rush(round: number): Promise<void> {
      const began = performance.now()
      const answers = (await Promise.all(children.map((child) => child.ask(`cold ${round}`)))) as { loads: number; isRight: boolean }[]
      times.push((performance.now() - began) * 1e6)
      expect(answers.every(({ isRight }) => isRight), `${kind} gave another value than was loaded`)
      loads.push(answers.reduce((sum, answer) => sum + answer.loads, 0))
    },
    end: () => Promise.all(children.map((child) => child.end())),
  }
}
