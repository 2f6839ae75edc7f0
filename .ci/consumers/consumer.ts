import { createCache, TiercelError } from '@tiercel/core'
import * as connection from '@tiercel/core/connection'
import * as keyv from '@tiercel/core/keyv'

export async function use(): Promise<number> {
  const cache = createCache({ ttl: '5m' })
  const loaded: number = await cache.getOrSet('answer', () => 42, { ttl: 1000, tags: ['answers'], room: 'deep' })
  // @ts-expect-error: a loader's type is the call's type, so this fails unless the types were lost
  const wrong: string = await cache.getOrSet('answer', () => 42)
  // @ts-expect-error: an option that does not exist
  createCache({ tll: '5m' })
  await cache.close()
  return loaded + wrong.length
}

export function isOurs(error: unknown): string | undefined {
  return TiercelError.is(error) ? error.code : undefined
}

export const names = [...Object.keys(keyv), ...Object.keys(connection)]
