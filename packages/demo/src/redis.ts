import { findRedisServer, startRedis, type RedisServer } from '@tiercel/core/testing'

/** The Redis that the service's processes share. */
export interface Redis {
  /** What it is, for people. */
  readonly name: string
  readonly url: string
  /** Only what the demo started itself may it stop. */
  readonly own: RedisServer | undefined
  close(): Promise<void>
}

/** The Redis at `url`; without one, a server started for the occasion; `undefined` where there is none to start. */
export async function openRedis(url: string | undefined): Promise<Redis | undefined> {
  if (url) return { name: 'Redis at REDIS_URL', url, own: undefined, close: async () => {} }
  if (findRedisServer() === undefined) return undefined
  const own = await startRedis()
  return { name: `${await nameOf(own)}, started for the demo`, url: own.url, own, close: () => own.stop() }
}

async function nameOf(server: RedisServer): Promise<string> {
  const info = String(await server.cli('INFO', 'server'))
  const version = (product: string) => new RegExp(`^${product}_version:(\\S+)`, 'm').exec(info)?.[1]
  // Valkey also says which Redis it is like.
  const valkey = version('valkey')
  return valkey === undefined ? `Redis ${version('redis')}` : `Valkey ${valkey}`
}
