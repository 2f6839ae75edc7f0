import type { FaultProxy, RedisCluster, RedisServer } from '@tiercel/core/testing'
import type { Random } from '../random.js'
import { rows } from '../rows.js'
import type { Worker } from '../workers.js'
import type { Fault } from './fault.js'
import { pausing } from './standalone.js'

/** What can go wrong with a cluster of masters with a replica each. */
export function clusterFaults(cluster: RedisCluster, workers: readonly Worker[]): readonly Fault[] {
  const master = (random: Random) => cluster.masterOf(`soak:1:{${random.of(rows).key}}:v`)
  const proxyFault = (name: string, begin: (proxy: FaultProxy, random: Random) => void): Fault => ({
    name,
    async begin(random) {
      const proxy = random.of(cluster.proxies)
      begin(proxy, random)
      return () => proxy.heal()
    },
  })
  const nodeFault = (name: string, begin: (node: RedisServer, random: Random) => Promise<(() => Promise<void> | void) | void>): Fault => ({
    name,
    begin: async (random) => begin(await master(random), random),
  })
  const connectionFault = (name: string, begin: (connection: FaultProxy['connections'][number]) => void): Fault => ({
    name,
    async begin(random) {
      for (const proxy of cluster.proxies) for (const connection of proxy.connections) if (random.chance(0.2)) begin(connection)
    },
  })
  return [
    nodeFault('a master crashes, and comes back empty', async (node) => (await node.kill(), () => node.restart())),
    nodeFault('a master restarts with all its data', (node) => node.restart('everything')),
    nodeFault('a master is stopped in its tracks', async (node) => (node.pause(), () => node.resume())),
    nodeFault('a master loses everything', async (node) => void (await node.cli('FLUSHALL'))),
    nodeFault('a master forgets the scripts', async (node) => void (await node.cli('SCRIPT', 'FLUSH'))),
    nodeFault('a master ends all subscriptions', async (node) => void (await node.cli('CLIENT', 'KILL', 'TYPE', 'pubsub'))),
    nodeFault('a master changes places with its replica', async (node) => void (await cluster.failOver(node))),
    nodeFault('a master crashes, and its replica takes over', async (node) => {
      await node.kill()
      await cluster.failOver(node)
      return () => node.start()
    }),
    proxyFault('the connections to a node break', (proxy) => proxy.reset()),
    proxyFault('a node is cut off', (proxy) => {
      proxy.refuse()
      proxy.reset()
    }),
    proxyFault('a node is half-open', (proxy) => proxy.blackhole()),
    proxyFault('the network of a node stands still', (proxy) => proxy.pause()),
    proxyFault('a node is far away', (proxy) => proxy.delay(60, { jitterMs: 40 })),
    proxyFault('a connection breaks in the middle of a reply', (proxy, random) => proxy.cut(random.below(5000))),
    connectionFault('some connections are half-open', (connection) => connection.blackhole()),
    connectionFault('some connections break', (connection) => connection.reset()),
    { name: 'one process is stopped in its tracks', begin: async (random) => pausing(random.of(workers)) },
  ]
}
