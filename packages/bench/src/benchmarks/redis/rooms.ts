import type { Cache } from '@tiercel/core'
import { compare, type Comparison } from '../../comparison.js'
import { seriesOf } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import type { NodeRedis } from '../../redis/clients.js'
import { trafficOf } from '../../redis/traffic.js'
import { expectMembers, type Members } from './members.js'

const MOST_MEMORY = 1024

/** Invalidates a large and a small room again and again, and counts what Redis is given to do. */
export async function invalidateRooms(cache: Cache, admin: NodeRedis, large: Members, few: Members, rounds: number): Promise<{ comparisons: Comparison[]; note: string }> {
  const ofLarge = invalidations(cache, admin, large)
  const ofFew = invalidations(cache, admin, few)
  const memory = [await memoryOf(admin, cache, large), await memoryOf(admin, cache, few)] as const
  // The first of all sends the script itself.
  await cache.invalidate({ room: few.room })
  for (let round = 0; round < rounds; round++) for (const each of [ofLarge, ofFew]) await each.once()
  for (const [room, each] of [[large, ofLarge], [few, ofFew]] as const) {
    await expectMembers(cache, room, false)
    await each.restore()
  }
  const names = [nameOf(large), nameOf(few)] as const
  const commandsOf = ({ commands }: typeof ofLarge) => commands.at(-1) ?? new Map<string, number>()
  const list = (commands: ReadonlyMap<string, number>) => [...commands].map(([command, calls]) => `${command} ${calls}`).sort().join(', ')
  expect(list(commandsOf(ofLarge)) === list(commandsOf(ofFew)), `a large room took other commands (${list(commandsOf(ofLarge))}) than a small one (${list(commandsOf(ofFew))})`)
  const total = (commands: ReadonlyMap<string, number>) => [...commands.values()].reduce((sum, calls) => sum + calls, 0)
  // A message has random numbers of varying length in it, so that of many the longest are compared.
  const most = ({ bytes }: typeof ofLarge) => Math.max(...bytes)
  return {
    comparisons: [
      compare(undefined, seriesOf(`commands, ${names[0]}`, 'commands', ofLarge.commands.map(total)), seriesOf(names[1], 'commands', ofFew.commands.map(total)), 1),
      compare(undefined, seriesOf(`bytes sent, ${names[0]}`, 'bytes', [most(ofLarge)]), seriesOf(names[1], 'bytes', [most(ofFew)]), 1),
      compare(undefined, seriesOf(`memory, ${names[0]}`, 'bytes', [memory[0]]), seriesOf('1 KB', 'bytes', [MOST_MEMORY]), 1),
      compare(undefined, seriesOf(`memory, ${names[0]}`, 'bytes', [memory[0]]), seriesOf(names[1], 'bytes', [memory[1]])),
      compare(undefined, seriesOf(`time, ${names[0]}`, 'wall-ns', ofLarge.times), seriesOf(names[1], 'wall-ns', ofFew.times)),
    ],
    note: `Commands of one invalidation, those inside of its script included: ${list(commandsOf(ofLarge))}. Memory is that of everything Tiercel keeps in Redis beside entries: tokens, counter and run.`,
  }
}

function invalidations(cache: Cache, admin: NodeRedis, members: Members) {
  const commands: ReadonlyMap<string, number>[] = []
  const bytes: number[] = []
  const times: number[] = []
  // With its token a room has all of its members again.
  const restore = async (): Promise<void> => {
    await admin.set(members.token, members.written)
    await expectMembers(cache, members, true)
  }
  let took = 0
  const invalidate = async (): Promise<void> => {
    const began = performance.now()
    const { durable } = await cache.invalidate({ room: members.room })
    took = (performance.now() - began) * 1e6
    expect(durable, 'an invalidation was not durable')
  }
  return {
    commands,
    bytes,
    times,
    restore,
    async once(): Promise<void> {
      const traffic = await trafficOf(admin, restore, invalidate)
      times.push(took)
      bytes.push(traffic.bytes)
      commands.push(traffic.commands)
    },
  }
}

async function memoryOf(admin: NodeRedis, { name }: Cache, { token }: Members): Promise<number> {
  const keys = [token, `${name}:1:g`, `${name}:1:bus:seq`, `${name}:1:run`]
  const sizes = await Promise.all(keys.map((key) => admin.sendCommand(['MEMORY', 'USAGE', key])))
  return sizes.reduce((sum: number, size) => sum + Number(size), 0)
}

function nameOf({ count }: Members): string {
  return `a room of ${count.toLocaleString('en-US')}`
}
