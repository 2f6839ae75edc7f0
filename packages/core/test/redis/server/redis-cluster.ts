import { setTimeout as pause } from 'node:timers/promises'
import { startRedis, type RedisServer } from './redis-server.js'

const SLOTS = 16_384
const FORMING_MS = 20_000

export interface RedisCluster {
  /** All masters; the slots are divided among them in order. */
  readonly nodes: readonly RedisServer[]
  readonly urls: readonly string[]
  stop(): Promise<void>
}

/** Starts a cluster of so many masters, without replicas, and waits until all of them agree that it is up. */
export async function startCluster(size: number): Promise<RedisCluster> {
  const args = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-config-file', 'nodes.conf']
  const nodes = await Promise.all(Array.from({ length: size }, () => startRedis({ args })))
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  try {
    await form(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, urls: nodes.map(({ url }) => url), stop }
}

async function form(nodes: readonly RedisServer[]): Promise<void> {
  const [first] = nodes
  await Promise.all(
    nodes.map(async (node, index) => {
      // Without epochs of their own, nodes would have to settle a conflict first.
      await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      const from = Math.floor((SLOTS * index) / nodes.length)
      const to = Math.floor((SLOTS * (index + 1)) / nodes.length) - 1
      await node.cli('CLUSTER', 'ADDSLOTSRANGE', from, to)
      if (first !== undefined && node !== first) await node.cli('CLUSTER', 'MEET', '127.0.0.1', first.port)
    }),
  )
  const due = performance.now() + FORMING_MS
  for (const node of nodes) {
    while (!(await isWhole(node, nodes.length))) {
      if (performance.now() > due) throw new Error('the cluster did not form')
      await pause(20)
    }
  }
}

async function isWhole(node: RedisServer, size: number): Promise<boolean> {
  const info = String(await node.cli('CLUSTER', 'INFO'))
  if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${size}`)) return false
  const slots = await node.cli('CLUSTER', 'SLOTS')
  return Array.isArray(slots) && slots.length === size
}
