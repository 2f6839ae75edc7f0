import { startCluster, startProxy, startRedis } from '@tiercel/core/testing'
import { clusterFaults } from './faults/cluster.js'
import type { Fault } from './faults/fault.js'
import { standaloneFaults } from './faults/standalone.js'
import { PROCESSES } from './rows.js'
import type { Place } from './subjects/subject.js'
import type { Worker } from './workers.js'

/** What the processes have in common, and what can happen to it. */
export interface Stage {
  place(index: number): Place
  faults(workers: readonly Worker[]): readonly Fault[]
  stop(): Promise<void>
}

export type StageName = keyof typeof stages

export const stages = { standalone, cluster } satisfies Record<string, () => Promise<Stage>>

async function standalone(): Promise<Stage> {
  const redis = await startRedis()
  const proxies = await Promise.all(Array.from({ length: PROCESSES }, () => startProxy(redis)))
  return {
    place: (index) => ({ kind: 'standalone', urls: [proxies[index]?.url ?? ''], index }),
    faults: (workers) => standaloneFaults(redis, proxies, workers),
    async stop() {
      await Promise.all([redis, ...proxies].map((each) => each.stop()))
    },
  }
}

async function cluster(): Promise<Stage> {
  const nodes = await startCluster({ replicas: 1, proxied: true })
  return {
    place: (index) => ({ kind: 'cluster', urls: nodes.urls, index }),
    faults: (workers) => clusterFaults(nodes, workers),
    stop: () => nodes.stop(),
  }
}
