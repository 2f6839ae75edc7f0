export type { Lock } from './lock.js'
export type { LockOptions } from './lock-options.js'
export { type AcquireOptions, createLocks, type Locks, type LocksHealth, type LocksOptions, type LocksStats } from './locks.js'
export { withLock } from './with-lock.js'
