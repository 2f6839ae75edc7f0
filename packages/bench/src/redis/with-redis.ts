import { randomBytes } from 'node:crypto'
import { findRedisServer, startRedis } from '@tiercel/core/testing'
import { openNodeRedis, type NodeRedis } from './clients.js'

/** Where a benchmark may work. */
export interface Place {
  readonly url: string
  /** Part of the name of everything that is written. */
  readonly name: string
  /** For what is asked of Redis beside what is measured. */
  readonly admin: NodeRedis
}

/** There is no Redis to measure with, so these lines are left out. */
export class NoRedis extends Error {
  override readonly name = 'NoRedis'

  constructor() {
    super('There is no Redis: set REDIS_URL to one that nobody else uses, or put redis-server or valkey-server on PATH')
  }
}

/**
 * Does its work with the Redis of `REDIS_URL`, and removes afterwards what it wrote; or with a server of its own, which is then stopped.
 *
 * @throws {NoRedis}
 */
export async function withRedis<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const given = process.env.REDIS_URL
  if (given !== undefined && given !== '') return withName(given, work, true)
  if (findRedisServer() === undefined) throw new NoRedis()
  const server = await startRedis()
  try {
    return await withName(server.url, work, false)
  } finally {
    await server.stop()
  }
}

async function withName<T>(url: string, work: (place: Place) => Promise<T>, cleansUp: boolean): Promise<T> {
  const admin = await openNodeRedis(url)
  const name = `bench-${randomBytes(4).toString('hex')}`
  try {
    return await work({ url, name, admin })
  } finally {
    if (cleansUp) await removeAll(admin, `*${name}*`)
    admin.destroy()
  }
}

async function removeAll(admin: NodeRedis, pattern: string): Promise<void> {
  for await (const keys of admin.scanIterator({ MATCH: pattern, COUNT: 1000 })) if (keys.length > 0) await admin.unlink(keys)
}
