import { cacheOptionsFromEnv, InvalidEnvironmentError, type EnvironmentOptions } from '@tiercel/core'

export type Environment = Readonly<Record<string, string | undefined>>

/** What the environment says of an AI cache. */
export interface EnvironmentSettings {
  readonly enabled: boolean
  readonly cacheExpiryMinutes: number
  readonly redis: Omit<EnvironmentOptions, 'ttl'>
}

/**
 * Reads the environment. Each bad variable is told to `refuse`; when that returns, it counts as not set.
 *
 * `AI_CACHE_ENABLED` (default `true`), `AI_CACHE_EXPIRY_MINUTES` (default 60 with `NODE_ENV=production`, else 30), and for Redis those of `cacheOptionsFromEnv`.
 */
export function readEnvironment(env: Environment, refuse: (error: InvalidEnvironmentError) => void): EnvironmentSettings {
  const read = <T>(from: () => T, otherwise: T): T => {
    try {
      return from()
    } catch (error) {
      if (!(error instanceof InvalidEnvironmentError)) throw error
      refuse(error)
      return otherwise
    }
  }
  const minutes = env.NODE_ENV === 'production' ? 60 : 30
  const { ttl: _, ...redis } = read(() => cacheOptionsFromEnv(env), { redis: false, ttl: 0 })
  return {
    enabled: read(() => enabledBy(env.AI_CACHE_ENABLED), true),
    cacheExpiryMinutes: read(() => minutesBy(env.AI_CACHE_EXPIRY_MINUTES) ?? minutes, minutes),
    redis,
  }
}

function enabledBy(value: string | undefined): boolean {
  const word = value?.trim().toLowerCase() ?? ''
  if (['', 'true', '1', 'yes', 'on'].includes(word)) return true
  if (['false', '0', 'no', 'off'].includes(word)) return false
  throw new InvalidEnvironmentError('AI_CACHE_ENABLED must be true or false')
}

function minutesBy(value: string | undefined): number | undefined {
  if (value === undefined || value.trim() === '') return undefined
  const minutes = Number(value)
  if (!(minutes > 0)) throw new InvalidEnvironmentError('AI_CACHE_EXPIRY_MINUTES must be a number of minutes above 0')
  return minutes
}
