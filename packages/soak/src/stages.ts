import { startCluster, startProxy, startRedis } from '@tiercel/core/testing'
import { agree } from './faults/agreement.js'
import { clusterFaults } from './faults/cluster.js'
import type { Fault } from './faults/fault.js'
import { standaloneFaults } from './faults/standalone.js'
import { PROCESSES } from './rows.js'
import type { Place } from './subjects/subject.js'
import type { Worker } from './workers.js'

/** What the processes have in common, and what can happen to it. */
export interface Stage {
  readonly kind: Place['kind']
  urlsOf(index: number): readonly string[]
  faults(workers: readonly Worker[]): readonly Fault[]
  /** Whether Redis could be used by somebody who came now. */
  isBack(): Promise<boolean>
  stop(): Promise<void>
}

export type StageName = keyof typeof stages

export const stages = { standalone, cluster } satisfies Record<string, () => Promise<Stage>>

async function standalone(): Promise<Stage> {
  const redis = await startRedis()
  const proxies = await Promise.all(Array.from({ length: PROCESSES }, () => startProxy(redis)))
  return {
    kind: 'standalone',
    urlsOf: (index) => [proxies[index]?.url ?? ''],
    faults: (workers) => standaloneFaults(redis, proxies, workers),
    isBack: () => redis.cli('PING').then((reply) => reply === 'PONG', () => false),
    async stop() {
      await Promise.all([redis, ...proxies].map((each) => each.stop()))
    },
  }
}

async function cluster(): Promise<Stage> {
  const nodes = await startCluster({ replicas: 1, proxied: true })
  return {
    kind: 'cluster',
    urlsOf: () => nodes.urls,
    faults: (workers) => clusterFaults(nodes, workers),
    isBack: () => agree(nodes),
    stop: () => nodes.stop(),
  }
}
