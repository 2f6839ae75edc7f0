import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FakeNode } from './fake-node.js'
import { FakeWorld } from './fake-world.js'

/** In time that is the test's: what the machine adds is not in it. */
const BACK_MS = 2000
/** Short ones, in which one attempt was made, and long ones, after which pauses are as long as they get; none in step with anything. */
const AWAY_MS = [60, 333, 777, 1234, 1991, 2718, 3579, 4950, 6283, 9871]
const SERVING_MS = 130

const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const each = (nodes: readonly FakeNode[], act: (node: FakeNode) => void) => {
  for (const node of nodes) act(node)
}

const troubles: Readonly<Record<string, (nodes: readonly FakeNode[], awayMs: number) => Promise<void>>> = {
  'is stopped': async (nodes, awayMs) => {
    each(nodes, (node) => node.die())
    await wait(awayMs)
  },
  'is half-open': async (nodes, awayMs) => {
    each(nodes, (node) => node.hang())
    await wait(awayMs)
  },
  'is stopped, and then swallows what is sent to it': async (nodes, awayMs) => {
    each(nodes, (node) => node.die())
    await wait(awayMs / 2)
    each(nodes, (node) => node.hang())
    await wait(awayMs / 2)
  },
  'is half-open, serves for a moment, and is half-open again': async (nodes, awayMs) => {
    each(nodes, (node) => node.hang())
    await wait(awayMs)
    each(nodes, (node) => node.comeBack())
    await wait(SERVING_MS)
    each(nodes, (node) => node.hang())
    await wait(awayMs / 3)
  },
}

const victims: readonly (readonly [name: string, kind: 'standalone' | 'cluster', of: (nodes: readonly FakeNode[]) => readonly FakeNode[]])[] = [
  ['one server', 'standalone', (nodes) => nodes],
  ['a whole cluster', 'cluster', (nodes) => nodes],
  ['the first node of a cluster', 'cluster', (nodes) => nodes.slice(0, 1)],
  ['the second node of a cluster', 'cluster', (nodes) => nodes.slice(1, 2)],
  ['the third node of a cluster', 'cluster', (nodes) => nodes.slice(2)],
]

const lines: string[] = []
let world: FakeWorld
const open = async (kind: 'standalone' | 'cluster') => {
  world = new FakeWorld(kind)
  await wait(100)
  expect(world.state).toBe('up')
}

beforeEach(() => void vi.useFakeTimers())
afterEach(async () => {
  await world.close()
  vi.useRealTimers()
})
afterAll(() => void process.stderr.write(`\nused again after, at most, in time without the machine\n${lines.join('')}`))

describe.each(victims)('when %s', (victim, kind, of) => {
  it.each(Object.keys(troubles))('%s, it is used again within two seconds of being back, however long it was away', async (trouble) => {
    const times: number[] = []
    for (const awayMs of AWAY_MS) {
      await open(kind)
      const nodes = of(world.nodes)
      const troubled = troubles[trouble]?.(nodes, awayMs)
      // Whoever asks notices, or whoever invalidates.
      world.breaker.trip()
      await troubled
      each(nodes, (node) => node.comeBack())
      const back = performance.now()
      const up = world.up()
      await wait(20_000)
      times.push((await up) - back)
      await world.close()
    }
    lines.push(`  ${victim}, ${trouble}: ${Math.max(...times).toFixed(0)} ms\n`)
    expect(times.filter((ms) => ms > BACK_MS)).toEqual([])
  })
})

it.each(['standalone', 'cluster'] as const)('a server that is slow to accept, encrypt or check the password is connected to in the end (%s)', async (kind) => {
  await open(kind)
  each(world.nodes, (node) => {
    node.die()
    node.greetingMs = 3600
  })
  world.breaker.trip()
  await wait(5000)
  each(world.nodes, (node) => node.comeBack())
  const back = performance.now()
  const up = world.up()
  await wait(20_000)
  expect((await up) - back).toBeLessThan(2 * 3600)
})

it('a cluster is found although the nodes that are asked first hang', async () => {
  world = new FakeWorld('cluster')
  const [first, second] = world.nodes
  first?.hang()
  second?.hang()
  const found = vi.fn<() => void>()
  world.connection.masters().then(found, () => {})
  await wait(BACK_MS)
  expect(found).toHaveBeenCalled()
})

it.each([0, 1, 2])('a node that another one replaces while it hangs is not waited for (%i)', async (index) => {
  const times: number[] = []
  for (const awayMs of AWAY_MS) {
    await open('cluster')
    const victim = world.nodes[index]
    if (victim === undefined) throw new Error('no such node')
    victim.hang()
    world.breaker.trip()
    await wait(awayMs)
    world.takeOver(victim)
    const replaced = performance.now()
    const up = world.up()
    await wait(20_000)
    times.push((await up) - replaced)
    await world.close()
  }
  lines.push(`  node ${index} of a cluster hangs, and another one takes over: ${Math.max(...times).toFixed(0)} ms\n`)
  expect(times.filter((ms) => ms > BACK_MS)).toEqual([])
})
