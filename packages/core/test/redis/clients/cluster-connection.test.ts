import { createRequire } from 'node:module'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { defineScript, slotOf, type RedisConnection, type RedisTarget } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startCluster, type RedisCluster } from '../server/index.js'
import { closeAll, open, packages, type PackageName } from './variants.js'

const require = createRequire(import.meta.url)
const soon = { timeout: 30_000, interval: 10 }

interface Template {
  readonly status?: string
  disconnect(): unknown
}

const connected = new Set<Template>()

/** With settings to be overruled. One of ioredis 5 is connected, for its nodes are then made like its own. */
async function clusterTemplate(packageName: PackageName, urls: readonly string[]): Promise<RedisTarget> {
  if (packageName.startsWith('redis')) {
    const { createCluster } = require(packageName) as { createCluster(options: object): RedisTarget }
    return createCluster({ rootNodes: urls.map((url) => ({ url })), useReplicas: true, defaults: { socket: { reconnectStrategy: 20 } } })
  }
  const { Cluster } = require(packageName) as { Cluster: new (nodes: readonly string[], options: object) => RedisTarget & Template }
  const lazyConnect = packageName !== 'ioredis5'
  const template = new Cluster(urls, { lazyConnect, keyPrefix: 'wrong:', scaleReads: 'all', redisOptions: { keyPrefix: 'wrong:' } })
  if (!lazyConnect) {
    connected.add(template)
    await vi.waitUntil(() => template.status === 'ready', soon)
  }
  return template
}

it('counts slots as Redis does, hash tags included', () => {
  expect(slotOf('123456789')).toBe(0x31c3 % 16_384)
  expect(slotOf('{user:1}:v')).toBe(slotOf('user:1'))
  expect(slotOf('a{b}{c}')).toBe(slotOf('b'))
  expect(slotOf('{}a')).not.toBe(slotOf(''))
})

describeWithRedis('A connection to a cluster', () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startCluster()
  })
  afterEach(async () => {
    await closeAll()
    for (const template of connected) template.disconnect()
    connected.clear()
  })
  afterAll(() => cluster.stop())

  const keys = Array.from({ length: 30 }, (_, i) => `key:${i}`)

  it('counts slots as the server does', async () => {
    const [node] = cluster.nodes
    for (const key of ['ns:{}a}:v', '{}', '{', '}{', '{{a}}', 'x{y', 'ä{ö}ü', ...keys]) expect(slotOf(key)).toBe(await node?.cli('CLUSTER', 'KEYSLOT', key))
  })

  describe.each(packages.map((packageName) => ({ packageName })))('of $packageName', ({ packageName }) => {
    const send = (connection: RedisConnection, route: string, ...args: (string | Buffer)[]) => connection.send(args, { route, timeoutMs: 20_000 })

    it('finds the node of every key, from one node it knows', async () => {
      const { connection, errors } = open(await clusterTemplate(packageName, cluster.urls.slice(0, 1)))
      expect(connection.kind).toBe('cluster')
      await Promise.all(keys.map((key) => send(connection, key, 'SET', key, Buffer.from(key))))
      expect(await Promise.all(keys.map((key) => send(connection, key, 'GET', key)))).toEqual(keys.map((key) => Buffer.from(key)))
      expect(connection.isUp).toBe(true)
      expect(errors).toEqual([])
      for (const node of cluster.nodes) expect(await node.cli('DBSIZE')).toBeGreaterThan(0)
    })

    it('runs scripts where their keys are, and knows all masters', async () => {
      const { connection } = open(await clusterTemplate(packageName, cluster.urls))
      const script = defineScript("return redis.call('SET', KEYS[1], ARGV[1])")
      for (const key of keys.slice(0, 6)) await connection.run(script, [key], ['by script'], 20_000)
      const masters = await connection.masters()
      expect(new Set(masters.map(({ id }) => id)).size).toBe(3)
      const found: string[] = []
      for (const master of masters) {
        const reply = await master.send(['SCAN', '0', 'MATCH', 'key:*', 'COUNT', '1000'], 20_000)
        found.push(...(Array.isArray(reply) && Array.isArray(reply[1]) ? reply[1].map(String) : []))
      }
      expect(found).toEqual(expect.arrayContaining(keys.slice(0, 6)))
    })

    it('follows a slot that is moved, and asks the new node while it is being moved', async () => {
      const { connection } = open(await clusterTemplate(packageName, cluster.urls))
      const key = `moved:{${packageName}}`
      const slot = slotOf(key)
      await send(connection, key, 'SET', key, 'before')
      const owner = Math.floor((slot * 3) / 16_384)
      const from = cluster.nodes[owner]
      const to = cluster.nodes[(owner + 1) % 3]
      if (from === undefined || to === undefined) throw new Error('there are three nodes')
      const [fromId, toId] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')] as [string, string]
      await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
      await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
      await from.cli('MIGRATE', '127.0.0.1', to.port, key, 0, 20_000)
      expect(await send(connection, key, 'GET', key)).toEqual(Buffer.from('before'))
      await to.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
      await from.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
      expect(await send(connection, key, 'SET', key, 'after')).toBe('OK')
      expect(await to.cli('GET', key)).toBe('after')
    })

    it('hears what any node publishes', async () => {
      const { connection } = open(await clusterTemplate(packageName, cluster.urls))
      const messages: string[] = []
      let subscribed = 0
      const subscription = await connection.subscribe('news', {
        onMessage: (message) => messages.push(String(message)),
        onSubscribed: () => {
          subscribed++
        },
        onLost() {},
      })
      for (const [index, node] of cluster.nodes.entries()) await node.cli('PUBLISH', 'news', `from ${index}`)
      await expect.poll(() => messages.toSorted(), soon).toEqual(['from 0', 'from 1', 'from 2'])
      subscription.recycle()
      await expect.poll(() => subscribed, soon).toBe(2)
      subscription.close()
    })

    it('goes on with the other nodes when one is gone, and has it back when it is back', async () => {
      const { connection } = open(await clusterTemplate(packageName, cluster.urls))
      await Promise.all(keys.map((key) => send(connection, key, 'SET', key, 'x')))
      const victim = cluster.nodes[2]
      const own = keys.find((key) => slotOf(key) > 12_000) ?? ''
      const other = keys.find((key) => slotOf(key) < 4000) ?? ''
      for (const node of cluster.nodes) await node.cli('CONFIG', 'SET', 'cluster-require-full-coverage', 'no')
      victim?.pause()
      await expect(connection.send(['GET', own], { route: own, timeoutMs: 50 })).rejects.toMatchObject({ code: 'TIERCEL_REDIS_TIMEOUT' })
      expect(await send(connection, other, 'GET', other)).toEqual(Buffer.from('x'))
      connection.recycle()
      victim?.resume()
      await expect.poll(() => connection.send(['GET', own], { route: own, timeoutMs: 500 }).catch(() => undefined), soon).toEqual(Buffer.from('x'))
      await expect.poll(() => connection.isUp, soon).toBe(true)
    })
  })

  it('rejects in time while no node can be found', async () => {
    const { connection, errors } = open(await clusterTemplate('redis', ['redis://127.0.0.1:1']))
    await expect(connection.send(['GET', 'a'], { route: 'a', timeoutMs: 20_000 })).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await expect(connection.masters()).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    expect(connection.isUp).toBe(false)
    expect(errors).toHaveLength(1)
  })
})
