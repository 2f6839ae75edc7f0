import { Redis } from 'ioredis6'
import { createClient } from 'redis'

export type NodeRedis = Awaited<ReturnType<typeof openNodeRedis>>

/** As it comes. */
export async function openNodeRedis(url: string) {
  const client = createClient({ url })
  // Without a listener it would take the process down; what is wrong shows in the calls.
  client.on('error', () => {})
  await client.connect()
  return client
}

export async function openIoredis(url: string, options: { readonly enableAutoPipelining?: boolean } = {}): Promise<Redis> {
  const client = new Redis(url, { ...options, lazyConnect: true })
  client.on('error', () => {})
  await client.connect()
  return client
}
