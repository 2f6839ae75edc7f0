import { mechanismsLeft, type Mechanisms } from '../coherence/index.js'
import { Shared } from '../flight/index.js'
import { namespaceLevels, resolveCache, type CacheOptions, type CacheSettings } from '../options/index.js'
import { openConnection, Remote, type RemoteHandlers, type RedisTarget } from '../redis/index.js'
import type { Cache } from './cache.js'
import { Namespaces } from './namespaces.js'

/**
 * Makes a cache: in the memory of this process, and with `redis` (or `REDIS_URL` in the environment) shared with others through Redis.
 *
 * Returns at once. While Redis cannot be reached the cache works in memory; `ready()` waits for it.
 *
 * @throws {InvalidOptionError} for an option that does not exist, has a value it cannot have, or contradicts another one.
 * @example
 * const cache = createCache({ ttl: '1m', grace: '10m' })
 */
export function createCache(options: CacheOptions = {}): Cache {
  const settings = resolveCache(options)
  const levels = namespaceLevels(settings.name)
  const { redis } = settings
  const mechanisms = mechanismsLeft(options)
  const connect = redis === undefined ? undefined : (handlers: RemoteHandlers) => openRemote(redis, settings, mechanisms, handlers)
  return new Namespaces(new Shared(settings, mechanisms, connect), levels, options).root
}

function openRemote(target: RedisTarget, settings: CacheSettings, mechanisms: Mechanisms, handlers: RemoteHandlers): Remote {
  const connection = openConnection(target, { connectTimeoutMs: settings.connectTimeoutMs, onError: handlers.onError })
  return new Remote(connection, { ...settings, mechanisms, busPath: namespaceLevels(settings.name)[0] as string }, handlers)
}
