import { afterAll, afterEach, beforeAll, vi } from 'vitest'
import { createAICacheService, type AICacheOptions, type AICacheService, type AsyncAICacheService } from '@tiercel/ai'
import { serverExecutable } from '../../../core/test/redis/server/executable.js'
import { startRedis, type RedisServer } from '../../../core/test/redis/server/index.js'

/** Either face of the service: a test that awaits what it is given fits both. */
export type Face = AICacheService | AsyncAICacheService

export interface Kind {
  readonly name: string
  readonly isShared: boolean
  open(options?: AICacheOptions): Promise<Face>
  /** Lets time pass: for the process by the clock on the wall, in Redis by shortening what every entry has left. */
  advance(ms: number): Promise<void>
}

/** Made when a file asks for them: in memory, on a Redis, and each with both faces. */
export function useKinds(): readonly Kind[] {
  const opened: AICacheService[] = []
  let redis: RedisServer | undefined
  let count = 0
  const hasRedis = serverExecutable() !== undefined

  beforeAll(async () => {
    if (hasRedis) redis = await startRedis()
  })
  afterEach(async () => {
    vi.useRealTimers()
    await Promise.all(opened.splice(0).map((service) => service.close()))
    await redis?.cli('FLUSHALL')
  })
  afterAll(() => redis?.stop())

  const open = async (options: AICacheOptions) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const service = createAICacheService({ logger: {}, name: `kind${count++}`, deadline: '30s', connectTimeout: '40s', enabled: true, cacheExpiryMinutes: 30, ...options })
    opened.push(service)
    await service.ready
    return service
  }
  const inMemory = (options?: AICacheOptions) => open({ redis: false, ...options })
  const onRedis = (options?: AICacheOptions) => open({ redis: redis?.url as string, ...options })
  const passHere = async (ms: number) => void vi.setSystemTime(Date.now() + ms)
  const passEverywhere = async (ms: number) => {
    await passHere(ms)
    await Promise.all(opened.map((service) => service.flush()))
    if (redis === undefined) return
    for (const name of (await redis.cli('KEYS', '*:v')) as string[]) {
      const left = Number(await redis.cli('PTTL', name)) - ms
      await (left < 0 ? redis.cli('UNLINK', name) : redis.cli('PEXPIRE', name, left))
    }
  }
  const kinds: Kind[] = [
    { name: 'synchronous, in memory', isShared: false, open: inMemory, advance: passHere },
    { name: 'awaited, in memory', isShared: false, open: async (options) => (await inMemory(options)).async, advance: passHere },
    { name: 'synchronous, on Redis', isShared: true, open: onRedis, advance: passEverywhere },
    { name: 'awaited, on Redis', isShared: true, open: async (options) => (await onRedis(options)).async, advance: passEverywhere },
  ]
  if (!hasRedis && process.env.CI === 'true') throw new Error('there is no Redis server to test with')
  return kinds.filter(({ isShared }) => hasRedis || !isShared)
}
