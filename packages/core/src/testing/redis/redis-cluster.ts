import { InvalidArgumentError, TestServerError } from '../../errors/index.js'
import { startProxy, type FaultProxy } from '../proxy/index.js'
import { startRedis, type RedisServer, type RedisServerOptions } from './redis-server.js'
import { until } from './until.js'

const SLOTS = 16_384
const FORMING_MS = 60_000
const FAILOVER_MS = 40_000
const ARGS = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', '--cluster-config-file', 'nodes.conf', '--cluster-replica-validity-factor', '0']

export interface RedisClusterOptions extends Pick<RedisServerOptions, 'executable' | 'args'> {
  /** Default 3. */
  readonly masters?: number
  /** Of each master. Default 0. With at least one, a master that is killed is replaced within about 4 seconds. */
  readonly replicas?: number
  /** Whether clients are sent to a fault proxy in front of each node. Replicas reach their masters through them as well. Default `false`. */
  readonly proxied?: boolean
}

/**
 * Starts a cluster, and waits until all of its nodes agree that it is up. The slots are divided among the masters in order.
 *
 * @throws {MissingProgramError} when there is no Redis server to start.
 * @throws {TestServerError} when it does not form in time.
 */
export async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { masters = 3, replicas = 0, proxied = false, args = [], executable } = options
  if (!Number.isInteger(masters) || masters < 1 || !Number.isInteger(replicas) || replicas < 0) {
    throw new InvalidArgumentError('a cluster has at least 1 master, and 0 or more replicas of each')
  }
  const proxies: FaultProxy[] = []
  const nodes: RedisServer[] = []
  const cluster = new RedisCluster(nodes, proxies)
  try {
    for (let index = 0; index < masters * (replicas + 1); index++) {
      // The node must know where it is to be found before it runs, and the proxy is told afterwards what is behind it.
      const proxy = proxied ? await startProxy(0) : undefined
      const announced = proxy === undefined ? [] : ['--cluster-announce-port', String(proxy.port)]
      if (proxy !== undefined) proxies.push(proxy)
      const node = await startRedis({ args: [...ARGS, ...announced, ...args], ...(executable === undefined ? {} : { executable }) })
      nodes.push(node)
      proxy?.redirect(node)
    }
    await form(nodes, masters)
    return cluster
  } catch (error) {
    await cluster.stop()
    throw error
  }
}

export class RedisCluster {
  /** The masters it began with, in the order of their slots, then the replicas: the first one of each, then the second. */
  readonly nodes: readonly RedisServer[]
  /** In front of each node, in the same order; none unless `proxied`. */
  readonly proxies: readonly FaultProxy[]

  constructor(nodes: readonly RedisServer[], proxies: readonly FaultProxy[]) {
    this.nodes = nodes
    this.proxies = proxies
  }

  /** What clients are told to begin with: all nodes, or the proxies in front of them. */
  get urls(): readonly string[] {
    return (this.proxies.length > 0 ? this.proxies : this.nodes).map(({ url }) => url)
  }

  /** The node that is the master of a key's slot now. */
  async masterOf(key: string): Promise<RedisServer> {
    for (const node of this.nodes) {
      // What a node that is down or cut off says of itself does not count.
      const myself = await describeMyself(node).catch(() => undefined)
      const slot = myself === undefined ? NaN : Number(await node.cli('CLUSTER', 'KEYSLOT', key))
      if (myself?.isMaster === true && myself.slots.some(([from, to]) => from <= slot && slot <= to)) return node
    }
    throw new TestServerError('no node serves the slot of that key')
  }

  /**
   * Makes a replica the master of what its master serves, and waits until all nodes that run know it.
   *
   * @param master Running or not. When it is not, its replica takes over without asking the other masters.
   * @returns The new master.
   */
  async failOver(master: RedisServer): Promise<RedisServer> {
    const [known, replica] = await this.#replicaOf(master)
    await replica.cli('CLUSTER', 'FAILOVER', ...(master.pid === undefined ? ['TAKEOVER'] : []))
    await until('the replica has not taken over', FAILOVER_MS, async () => {
      const running = this.nodes.filter(({ pid }) => pid !== undefined)
      const views = await Promise.all(running.map(async (node) => String(await node.cli('CLUSTER', 'NODES'))))
      return views.every((view) => new RegExp(`^${known} \\S+ (?:myself,)?master .* \\d+(?:-\\d+)?`, 'm').test(view))
    })
    return replica
  }

  async stop(): Promise<void> {
    await Promise.all([...this.nodes, ...this.proxies].map((part) => part.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** A replica that runs, and its id. */
  async #replicaOf(master: RedisServer): Promise<readonly [id: string, replica: RedisServer]> {
    for (const node of this.nodes) {
      if (node === master || node.pid === undefined) continue
      const myself = await describeMyself(node)
      if (myself.masterPort === master.port || this.#isBehind(myself.masterPort, master)) return [myself.id, node]
    }
    throw new TestServerError('that node has no replica that runs')
  }

  #isBehind(port: number | undefined, node: RedisServer): boolean {
    return port !== undefined && this.proxies[this.nodes.indexOf(node)]?.port === port
  }
}

interface Myself {
  readonly id: string
  readonly isMaster: boolean
  /** Where its master says that it is. */
  readonly masterPort: number | undefined
  readonly slots: readonly (readonly [from: number, to: number])[]
}

/** From the line of `CLUSTER NODES` that a node has about itself. */
async function describeMyself(node: RedisServer): Promise<Myself> {
  const lines = String(await node.cli('CLUSTER', 'NODES')).trim().split('\n')
  const fields = lines.map((line) => line.split(' '))
  const [id = '', , flags = '', masterId, , , , , ...ranges] = fields.find(([, , each]) => each?.includes('myself')) ?? []
  const master = fields.find(([each]) => each === masterId)
  const slots = ranges.map((range) => range.split('-').map(Number)).map(([from = NaN, to = from]) => [from, to] as const)
  return { id, isMaster: flags.includes('master'), masterPort: master === undefined ? undefined : Number(/:(\d+)@/.exec(master[1] ?? '')?.[1]), slots }
}

async function form(nodes: readonly RedisServer[], masters: number): Promise<void> {
  await Promise.all(
    nodes.map(async (node, index) => {
      // Without epochs of their own, nodes would have to settle a conflict first.
      await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      if (index < masters) {
        const from = Math.floor((SLOTS * index) / masters)
        const to = Math.floor((SLOTS * (index + 1)) / masters) - 1
        await node.cli('CLUSTER', 'ADDSLOTSRANGE', from, to)
      }
      for (const other of nodes.slice(0, index)) await node.cli('CLUSTER', 'MEET', '127.0.0.1', other.plainPort)
    }),
  )
  await until('the cluster has not formed', FORMING_MS, () => all(nodes, (node) => isWhole(node, nodes.length)))
  const ids = await Promise.all(nodes.slice(0, masters).map((master) => master.cli('CLUSTER', 'MYID')))
  await Promise.all(nodes.slice(masters).map((replica, index) => replica.cli('CLUSTER', 'REPLICATE', String(ids[index % masters]))))
  await until('the replicas have not caught up', FORMING_MS, () => all(nodes, (node) => hasAll(node, masters, nodes.length / masters)))
}

async function all(nodes: readonly RedisServer[], is: (node: RedisServer) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(nodes.map(is))).every(Boolean)
}

async function isWhole(node: RedisServer, size: number): Promise<boolean> {
  const info = String(await node.cli('CLUSTER', 'INFO'))
  return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${size}`)
}

/** Whether it knows of each range who serves it and who stands by, where clients find them, and whether it has caught up itself. */
async function hasAll(node: RedisServer, masters: number, ofEachRange: number): Promise<boolean> {
  const slots = await node.cli('CLUSTER', 'SLOTS')
  const isComplete = Array.isArray(slots) && slots.length === masters && slots.every((range) => Array.isArray(range) && range.length === 2 + ofEachRange)
  const replication = String(await node.cli('INFO', 'replication'))
  return isComplete && (replication.includes('role:master') || replication.includes('master_link_status:up'))
}
