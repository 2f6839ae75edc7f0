import { RedisServer } from './redis-server.js'

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
  const found = RedisServer.find()
  if (!found) return undefined
  const own = await RedisServer.start(found.command)
  return { name: `${found.name}, started for the demo`, url: own.url, own, close: () => own.close() }
}
