import { TiercelError } from '@tiercel/core'
import { AICacheService } from './ai-cache-service.js'
import { AICache } from './ai-cache.js'
import { resolveOptions, type AICacheLogger, type AICacheOptions } from './options.js'
import type { AsyncAICacheService } from './async-ai-cache-service.js'

/**
 * Makes an AI cache of its own: in the memory of this process, and with `redis` (or `REDIS_URL` in the environment) shared with others through Redis.
 *
 * Returns at once. While Redis cannot be reached the cache works in memory; `ready` waits for it.
 *
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
 * @throws {InvalidEnvironmentError} for an environment variable with a value it cannot have.
 * @example
 * const ai = createAICacheService({ redis: 'redis://localhost:6379', chatCacheSize: 500 })
 */
export function createAICacheService(options: AICacheOptions = {}): AICacheService {
  const cache = new AICache(
    resolveOptions(options, process.env, (error) => {
      throw error
    }),
  )
  return new AICacheService(() => cache)
}

let opened: AICache | undefined

/**
 * The AI cache of this process. It reads the environment when it is first used; a variable with a value it cannot have is told to `console.warn`, and counts as not set.
 *
 * @example
 * const cached = aiCacheService.getSearchResults(key)
 * if (cached) return cached
 */
export const aiCacheService: AICacheService = new AICacheService(() => (opened ??= openFromEnvironment()))

/** The same cache, awaited. */
export const redisAICacheService: AsyncAICacheService = aiCacheService.async

function openFromEnvironment(): AICache {
  const settings = resolveOptions({ logger: consoleOnce() }, process.env, warn)
  try {
    return new AICache(settings)
  } catch (error) {
    // Whoever asks for a value cannot be told that the environment is wrong.
    warn(error)
    return new AICache({ ...settings, redis: undefined })
  }
}

/** Each kind of error once: an outage is not to fill the log. */
function consoleOnce(): AICacheLogger {
  const told = new Set<string>()
  return {
    info: (line) => console.log(line),
    warn: (about) => {
      const { err } = about as { err?: unknown }
      const kind = TiercelError.is(err) ? err.code : ''
      if (told.has(kind)) return
      told.add(kind)
      warn(err)
    },
  }
}

function warn(error: unknown): void {
  console.warn(`AI cache: ${TiercelError.is(error) ? `${error.code}: ${error.message}` : 'an error of the application’s own functions or of Redis'}`)
}
