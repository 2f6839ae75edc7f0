import type { RedisServer } from '@tiercel/core/testing'
import type { ServiceProcesses } from '../../service-processes.js'
import type { WatchedDatabase } from '../../watched-database.js'
import type { City } from '../../world.js'

/** The service as two processes on one Redis and one database. */
export interface SharedStage {
  /** What the database was filled with, biggest city first. */
  readonly cities: City[]
  readonly database: WatchedDatabase
  readonly processes: ServiceProcesses
  /** The Redis, where it may be stopped. */
  readonly redisServer: RedisServer | undefined
}
