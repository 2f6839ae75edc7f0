import type { NodeRedis } from './clients.js'

/** What Redis was given to do. */
export interface Traffic {
  /** Executions by command, those inside of scripts included. */
  readonly commands: ReadonlyMap<string, number>
  readonly bytes: number
}

interface Counters {
  readonly calls: ReadonlyMap<string, number>
  readonly bytes: number
}

const MOST_ATTEMPTS = 20

/**
 * What Redis counts while `work` runs. As its counters are those of all clients, what a heartbeat falls into is not counted, and done again.
 *
 * @param before Puts things back for the next attempt.
 */
export async function trafficOf(admin: NodeRedis, before: () => Promise<unknown>, work: () => Promise<unknown>): Promise<Traffic> {
  const ofCounting = await bytesOfCounting(admin)
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    await before()
    const { first, second } = await around(admin, work)
    const commands = difference(first, second)
    // A heartbeat asks for the time and for INFO; the one INFO is our own.
    if (commands.has('time') || commands.get('info') !== 1) continue
    commands.delete('info')
    return { commands, bytes: second.bytes - first.bytes - ofCounting }
  }
  throw new Error('Redis is not ours alone: somebody else sends commands all the time')
}

async function bytesOfCounting(admin: NodeRedis): Promise<number> {
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    const { first, second } = await around(admin, async () => {})
    const commands = difference(first, second)
    if (commands.size === 1 && commands.get('info') === 1) return second.bytes - first.bytes
  }
  throw new Error('Redis is not ours alone: somebody else sends commands all the time')
}

async function around(admin: NodeRedis, work: () => Promise<unknown>): Promise<{ first: Counters; second: Counters }> {
  const first = await counters(admin)
  await work()
  return { first, second: await counters(admin) }
}

async function counters(admin: NodeRedis): Promise<Counters> {
  const info = String(await admin.sendCommand(['INFO', 'all']))
  const calls = new Map<string, number>()
  for (const [, command = '', count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) calls.set(command, Number(count))
  return { calls, bytes: Number(/^total_net_input_bytes:(\d+)/m.exec(info)?.[1]) }
}

function difference(first: Counters, second: Counters): Map<string, number> {
  const changed = [...second.calls].map(([command, calls]) => [command, calls - (first.calls.get(command) ?? 0)] as const)
  return new Map(changed.filter(([, calls]) => calls > 0))
}
