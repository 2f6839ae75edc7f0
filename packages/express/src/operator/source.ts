import { figuresOf, type Figure } from './figures.js'

/** What a purge may name: what `cache.invalidate` takes. */
export interface PurgeTarget {
  key?: string
  keys?: string[]
  tag?: string
  tags?: string[]
  room?: string
  rooms?: string[]
  pattern?: string
  all?: boolean
}

/**
 * Something an operator looks at: a cache, or anything else that has some of these. What has other names is wrapped, such as
 * `{ stats: () => sessions.getStats(), health: () => storage.healthCheck() }`.
 */
export interface OperatorSource {
  /** Figures: numbers and booleans, in objects as deep as they need to be. */
  stats?(): unknown
  /** How it is doing. It is well unless this has `healthy: false`, throws, or takes too long. */
  health?(): unknown
  /** Settles when it can be used. It can not while this is pending, when it rejects, and when it gives `false`. */
  ready?(): unknown
  /** Drops what the target names. */
  invalidate?(target: PurgeTarget): unknown
}

/** What was read of a source. A part is `undefined` where the source has none, or could not give it. */
export interface Reading {
  readonly healthy: boolean
  /** What threw, rejected or took too long. Never why: an error's message may hold a secret. */
  readonly failed: readonly ('stats' | 'health')[]
  readonly stats: Figure | undefined
  readonly health: Figure | undefined
}

export async function read(source: OperatorSource, timeoutMs: number): Promise<Reading> {
  // The figures are taken out of what it gives at once, since that may throw too.
  const [stats, health] = await Promise.all([
    settle(async () => ({ figures: figuresOf(await source.stats?.()) }), timeoutMs),
    settle(async () => {
      const value = await source.health?.()
      return { figures: figuresOf(value), isHealthy: !saysUnhealthy(value) }
    }, timeoutMs),
  ])
  const failed = [...(stats === undefined ? (['stats'] as const) : []), ...(health === undefined ? (['health'] as const) : [])]
  return { healthy: failed.length === 0 && health?.isHealthy === true, failed, stats: stats?.figures, health: health?.figures }
}

export async function isReady(source: OperatorSource, timeoutMs: number): Promise<boolean> {
  const answer = await settle(async () => ({ value: await source.ready?.() }), timeoutMs)
  return answer !== undefined && answer.value !== false
}

const saysUnhealthy = (health: unknown): boolean => typeof health === 'object' && health !== null && 'healthy' in health && health.healthy === false

/** `undefined` for what fails or is late: what does not answer must not keep an operator from seeing the rest. */
async function settle<T extends object>(ask: () => Promise<T>, timeoutMs: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, undefined)
    timer.unref()
  })
  try {
    return await Promise.race([late, ask()])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}
