import { lazily } from '../backend/lazily.js'
import type { Lock } from './lock.js'
import { type AcquireOptions, Locks } from './locks.js'

const ofProcess: Locks = lazily((backend) => new Locks({ backend }))

/** As `Locks.withLock`, on the backend of the process, by its environment; opened at the first use. */
export async function withLock<Result>(name: string, work: (lock: Lock) => Result | Promise<Result>, options: AcquireOptions = {}): Promise<Result> {
  return await ofProcess.withLock(name, work, options)
}
