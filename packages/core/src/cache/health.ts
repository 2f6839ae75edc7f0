import type { Shared } from '../flight/index.js'
import type { ConnectionStatus } from '../observe/index.js'

export interface CacheHealth {
  /** Whether the cache does all it was asked to do: it is open, and reaches Redis if it has one. */
  readonly healthy: boolean
  /** `undefined` when the cache is in this process only. */
  readonly redis:
    | {
        readonly status: ConnectionStatus
        /** `'open'` while Redis is not asked, because it did not answer. */
        readonly breaker: 'closed' | 'open'
        /** How long ago it was last certain that every invalidation up to then had arrived here; `undefined` if it never was. A process that reads nothing does not ask. */
        readonly lastConfirmedMs: number | undefined
        /** How long the last such confirmation took: to Redis and back, and until all invalidations up to then had arrived. An upper bound for how long they take. */
        readonly confirmationMs: number | undefined
        /** Invalidations Redis has not been told of yet. */
        readonly journal: number
      }
    | undefined
  readonly memory: { readonly entries: number; readonly maxEntries: number; readonly bytes: number; readonly maxBytes: number; readonly runningLoads: number }
}

export function healthOf({ closed, memory, flights, remote, status }: Shared): CacheHealth {
  return {
    healthy: !closed && (remote === undefined || remote.isUp),
    redis: remote && {
      status,
      breaker: remote.isUp ? 'closed' : 'open',
      lastConfirmedMs: Number.isFinite(remote.gate.confirmedAt) ? Math.round(performance.now() - remote.gate.confirmedAt) : undefined,
      confirmationMs: remote.gate.confirmationMs,
      journal: remote.journal.size,
    },
    memory: { entries: memory.size, maxEntries: memory.bounds.maxEntries, bytes: memory.bytes, maxBytes: memory.bounds.maxBytes, runningLoads: flights.size },
  }
}
