import type { RedisLink } from '@tiercel/core/connection'

/** Which connections lead to Redis now, without a round trip. Others than before may lead to a server that was started anew, and has lost what it had. */
export async function connectionsOf(link: RedisLink | undefined): Promise<string> {
  const nodes = (await link?.masters()) ?? []
  return nodes.map(({ connection }) => connection).join()
}
