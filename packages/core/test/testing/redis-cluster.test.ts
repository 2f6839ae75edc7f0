import { createRequire } from 'node:module'
import { afterEach, expect, it } from 'vitest'
import { startCluster, type RedisCluster, type RedisClusterOptions } from '../../src/testing/index.js'
import { describeWithRedis } from '../redis/server/index.js'

const require = createRequire(import.meta.url)
const started: { stop(): unknown }[] = []

async function start(options?: RedisClusterOptions): Promise<RedisCluster> {
  const cluster = await startCluster(options)
  started.push(cluster)
  return cluster
}

interface ClusterClient {
  get(key: string): Promise<unknown>
  set(key: string, value: string): Promise<unknown>
}

const clusterClients = [
  {
    name: 'node-redis 6',
    async open(urls: readonly string[]): Promise<ClusterClient> {
      const { createCluster } = require('redis') as { createCluster(options: object): ClusterClient & { connect(): Promise<void>; on(event: string, listener: () => void): void; destroy(): void } }
      const client = createCluster({ rootNodes: urls.map((url) => ({ url })) })
      client.on('error', () => {})
      await client.connect()
      started.push({ stop: () => client.destroy() })
      return client
    },
  },
  {
    name: 'ioredis 6',
    open(urls: readonly string[]): Promise<ClusterClient> {
      const { Cluster } = require('ioredis') as { Cluster: new (urls: readonly string[]) => ClusterClient & { disconnect(): void; on(event: string, listener: () => void): void } }
      const client = new Cluster(urls)
      client.on('error', () => {})
      started.push({ stop: () => client.disconnect() })
      return Promise.resolve(client)
    },
  },
]

const keys = Array.from({ length: 60 }, (_, i) => `key ${i}`)

describeWithRedis('a cluster for tests', () => {
  afterEach(async () => {
    for (const each of started.splice(0).reverse()) await each.stop()
  })

  it('has as many masters as are asked for, which agree about all slots', async () => {
    const cluster = await start()
    expect(cluster.nodes).toHaveLength(3)
    expect(cluster.urls).toEqual(cluster.nodes.map(({ url }) => url))
    for (const node of cluster.nodes) expect(String(await node.cli('CLUSTER', 'INFO'))).toContain('cluster_slots_ok:16384')
    const masters = new Set(await Promise.all(keys.map((key) => cluster.masterOf(key))))
    expect(masters.size).toBe(3)
    const [key = ''] = keys
    await (await cluster.masterOf(key)).cli('SET', key, 'v')
  })

  it.each(clusterClients.map((client, index) => ({ ...client, proxied: index > 0 })))('fails over, by command and after a crash, as $name sees it, with proxies: $proxied', async ({ open, proxied }) => {
    const cluster = await start({ replicas: 1, proxied })
    expect(cluster.nodes).toHaveLength(6)
    const client = await open(cluster.urls)
    for (const key of keys) await client.set(key, 'v')
    const [key = ''] = keys
    const old = await cluster.masterOf(key)
    const promoted = await cluster.failOver(old)
    expect(promoted).not.toBe(old)
    expect(await cluster.masterOf(key)).toBe(promoted)
    await expect.poll(async () => client.set(key, 'w').then(() => client.get(key)).catch(() => 'moving'), { timeout: 30_000, interval: 20 }).toBe('w')

    await promoted.kill()
    expect(await cluster.failOver(promoted)).toBe(old)
    await expect.poll(async () => client.set(key, 'x').then(() => client.get(key)).catch(() => 'moving'), { timeout: 30_000, interval: 20 }).toBe('x')
  })

  it.each(clusterClients)('sends clients through proxies that fail as they are told, as $name sees it', async ({ open }) => {
    const cluster = await start({ proxied: true })
    expect(cluster.urls).toEqual(cluster.proxies.map(({ url }) => url))
    const client = await open(cluster.urls)
    for (const key of keys) await client.set(key, 'v')
    for (const proxy of cluster.proxies) expect(proxy.counts.up.bytes).toBeGreaterThan(0)
    const direct = await Promise.all(cluster.nodes.map(async (node) => String(await node.cli('CLIENT', 'LIST', 'TYPE', 'normal'))))
    const through = new Set(cluster.proxies.flatMap(({ connections }) => connections.map(({ addressAtServer }) => addressAtServer)))
    const addresses = direct.flatMap((list) => [...list.matchAll(/^(?!.*cmd=client\|list).* addr=(\S+)/gm)].map(([, address]) => address))
    expect(addresses.filter((address) => !through.has(address))).toEqual([])

    const [key = ''] = keys
    const node = await cluster.masterOf(key)
    const proxy = cluster.proxies[cluster.nodes.indexOf(node)]
    proxy?.pause()
    const held = client.get(key)
    const free = await Promise.all(keys.map(async (each) => ((await cluster.masterOf(each)) === node ? [] : [each])))
    for (const each of free.flat()) expect(await client.get(each)).toBe('v')
    proxy?.resume()
    expect(await held).toBe('v')
  })

  it('refuses to be nothing', async () => {
    await expect(startCluster({ masters: 0 })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })
})
