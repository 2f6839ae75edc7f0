import { redisService } from './redis-service.js'

// With the service of the process. Values are JSON.

export async function cacheSet(key: string, value: unknown, ttlSeconds: number): Promise<void> {
  await redisService.setJSON(key, value, ttlSeconds)
}

/** `null` when there is none. */
export async function cacheGet<T = unknown>(key: string): Promise<T | null> {
  return await redisService.getJSON<T>(key)
}

/** Gives whether there was one. */
export async function cacheDelete(key: string): Promise<boolean> {
  return (await redisService.del(key)) === 1
}

/** Removes the keys that match a glob such as `user:*`. Gives how many there were. */
export async function cacheDeletePattern(pattern: string): Promise<number> {
  return await redisService.deletePattern(pattern)
}
