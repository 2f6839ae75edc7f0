import { nameOf } from './address.js'
import { ioredisForServer, ioredisFromCluster, ioredisFromTemplate, type IoredisModule } from './ioredis.js'
import { nodeRedisForServer, nodeRedisFromCluster, nodeRedisFromTemplate } from './node-redis.js'
import { missingPeer } from './redaction.js'
import type { ResolvedTarget, Server } from './target.js'
import type { Dialer } from './wire.js'

/** How to reach the target. Nothing is loaded before the first wire is dialled, and then only what is needed. */
export function dialerFor(target: ResolvedTarget, connectTimeoutMs: number): Dialer {
  switch (target.kind) {
    case 'server':
      return serverDialer(target.server, connectTimeoutMs)
    case 'node-redis':
      return nodeRedisFromTemplate(target.template, connectTimeoutMs)
    case 'node-redis-cluster':
      return nodeRedisFromCluster(target.template, connectTimeoutMs)
    case 'ioredis':
      return ioredisFromTemplate(target.template, connectTimeoutMs)
    case 'ioredis-cluster':
      return ioredisFromCluster(target.template, loadIoredis, connectTimeoutMs)
  }
}

function serverDialer(server: Server, connectTimeoutMs: number): Dialer {
  let loading: Promise<Dialer> | undefined
  const load = () => (loading ??= loadFor(server, connectTimeoutMs))
  return {
    where: `Redis at ${nameOf(server)}`,
    dial: async (lost) => await (await load()).dial(lost),
  }
}

async function loadFor(server: Server, connectTimeoutMs: number): Promise<Dialer> {
  try {
    return nodeRedisForServer(await import('redis'), server, connectTimeoutMs)
  } catch {
    return ioredisForServer(await loadIoredis(), server, connectTimeoutMs)
  }
}

async function loadIoredis(): Promise<IoredisModule> {
  try {
    return await import('ioredis')
  } catch {
    throw missingPeer()
  }
}
