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
  readonly stats: unknown
  readonly health: unknown
}

export async function read(source: OperatorSource, timeoutMs: number): Promise<Reading> {
  const [stats, health] = await Promise.all([settle(() => source.stats?.(), timeoutMs), settle(() => source.health?.(), timeoutMs)])
  const failed = [...(stats.ok ? [] : (['stats'] as const)), ...(health.ok ? [] : (['health'] as const))]
  return { healthy: failed.length === 0 && !saysUnhealthy(health.value), failed, stats: stats.value, health: health.value }
}

export async function isReady(source: OperatorSource, timeoutMs: number): Promise<boolean> {
  const { ok, value } = await settle(() => source.ready?.(), timeoutMs)
  return ok && value !== false
}

const saysUnhealthy = (health: unknown): boolean => typeof health === 'object' && health !== null && 'healthy' in health && health.healthy === false

interface Settled {
  readonly ok: boolean
  readonly value?: unknown
}

/** What does not answer must not keep an operator from seeing the rest. */
async function settle(ask: () => unknown, timeoutMs: number): Promise<Settled> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Settled>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false }), timeoutMs)
    timer.unref()
  })
  try {
    return await Promise.race([late, (async () => ({ ok: true, value: await ask() }))()])
  } catch {
    return { ok: false }
  } finally {
    clearTimeout(timer)
  }
}
