import type { Shared } from '../flight/index.js'

export interface CacheHealth {
  /** Whether the cache does all it was asked to do. */
  readonly healthy: boolean
  /** `undefined`: the cache keeps everything in this process. */
  readonly redis: undefined
  readonly memory: { readonly entries: number; readonly maxEntries: number; readonly bytes: number; readonly maxBytes: number; readonly runningLoads: number }
}

export function healthOf({ closed, memory, flights }: Shared): CacheHealth {
  return {
    healthy: !closed,
    redis: undefined,
    memory: { entries: memory.size, maxEntries: memory.bounds.maxEntries, bytes: memory.bytes, maxBytes: memory.bounds.maxBytes, runningLoads: flights.size },
  }
}
