// What Tiercel's other packages are built on, and yours can be: the one place that knows Redis clients, deadlines, outages and what must not be in an error.
import { isCache, scopeOf } from './cache/cache.js'
import type { Change } from './coherence/index.js'
import { countRedisHit, find, store, type Deferral } from './flight/index.js'
import type { CallOptions, Cache } from './index.js'
import { checkKey, resolveCall } from './options/index.js'
import type { RedisLink } from './redis/index.js'

export { getOrSetAfterLook, hitOf } from './cache/cache.js'
export { defineScript, slotOf, type MasterNode, type Reply, type Subscription, type SubscriptionHandlers } from './redis/clients/index.js'
export { defaultCodec } from './codec/index.js'
export type { Argument } from './redis/clients/reply.js'
export type { Script } from './redis/clients/script.js'
export { globMatcher } from './coherence/index.js'
export { toMs } from './options/duration.js'
export { openLink, RedisLink, type LinkOptions, type OwnLink, type RedisOptions, type RedisState, type RedisTarget } from './redis/index.js'

/** The cache's own connection to Redis, for more than a cache does; `undefined` when the cache is in this process only. It closes with the cache. */
export function linkOf(cache: Cache): RedisLink | undefined {
  return scopeOf(cache).shared.remote?.link
}

/**
 * Whether a value of the key is being looked for or loaded that a call beginning now would wait for: none that an invalidation has overtaken. Never, for a cache that another
 * copy of the package has made: of those nothing is known.
 */
export function isLoading(cache: Cache, key: string): boolean {
  if (!isCache(cache)) return false
  const scope = scopeOf(cache)
  return scope.shared.flights.joinable(scope.locate(key), true) !== undefined
}

/** What a look into Redis has come to. */
export interface Look {
  readonly value: unknown
  /** Whether Redis has answered, in time. */
  readonly hasAnswered: boolean
}

/**
 * What Redis has fresh of a key, brought into memory as `get` brings it, for those who call `getOrSetAfterLook` should there be nothing: it is that which counts the miss then.
 * Rejects only for bad options.
 */
export async function lookInRedis(cache: Cache, key: string, options: CallOptions): Promise<Look> {
  // Made by another copy of the package.
  if (!isCache(cache)) return { value: await cache.get(key, options), hasAnswered: true }
  const scope = scopeOf(cache)
  return find(scope, key, resolveCall(options, scope.defaults), (found, hasAnswered) => {
    if (found !== undefined) countRedisHit(scope, key)
    return { value: found?.value, hasAnswered }
  })
}

/** What another process changed. A `set` there is told as an invalidation of its key. */
export interface PeerChange {
  /** The full path of the namespace, such as `tiercel:users`. */
  readonly namespace: string
  readonly mode: 'invalidate' | 'expire'
  readonly keys: readonly string[]
  readonly tags: readonly string[]
  readonly rooms: readonly string[]
  readonly pattern: string | undefined
  /** What `setLater` was given to tell. */
  readonly note: string | undefined
  /** The whole namespace and those below it. */
  readonly all: boolean
}

export type { Deferral }

export interface PeerWatcher {
  onChange(change: PeerChange): void
  /** Something may have been missed: all that is known may be old. */
  onFlush(): void
}

/** Tells what other processes change in the namespace of `cache` and below, after the cache itself has forgotten it. Returns a function that ends it. */
export function watchPeers(cache: Cache, { onChange, onFlush }: PeerWatcher): () => void {
  const { watchers } = scopeOf(cache).shared
  const watcher = {
    onFlush,
    onChange: (change: Change) => {
      if (change.path === cache.name || change.path.startsWith(`${cache.name}:`) || (change.labels.includes('g') && cache.name.startsWith(`${change.path}:`))) {
        onChange(peerChange(change))
      }
    },
  }
  watchers.add(watcher)
  return () => void watchers.delete(watcher)
}

/**
 * Says that somebody relies on what `watchPeers` tells: that nothing is missed is confirmed for the next ten seconds, as it is while a cache is read. Costs nothing, so it
 * may be called often.
 */
export function keepHearing(cache: Cache): void {
  scopeOf(cache).shared.remote?.wake()
}

/**
 * Stores a value that was made some time ago, in Redis only. Unlike `set` it does not count as newer than what was changed since then: once everything that Redis knows of
 * has been heard here, and nobody else can store the key any more, `holds` decides. Resolves to whether the value was stored. When Redis fails, the cache's link is not `up`
 * at that moment.
 *
 * @param deferral.guard Spares the question what Redis knows of, and with it a round trip, when the key it names has that value in Redis. It is for the caller to see that it
 * has another one as soon as something was changed that may not have been heard here.
 * @param deferral.note Goes to other processes with the news, as `PeerChange.note`. In a cluster it does not.
 */
export async function setLater(cache: Cache, key: string, value: unknown, options: CallOptions, deferral: Deferral): Promise<boolean> {
  const scope = scopeOf(cache)
  const { remote } = scope.shared
  checkKey(key)
  const policy = resolveCall({ ...options, memory: false }, scope.defaults)
  if (remote === undefined || !(await remote.reachable())) return false
  return (await store(scope, [[key, value]], policy, deferral)) === 1
}

/** Resolves to whether everything that was changed until now has been heard here; to `false` when that takes longer than the deadline. Does not reject. */
export async function hasHeardAll(cache: Cache): Promise<boolean> {
  const { remote } = scopeOf(cache).shared
  if (remote === undefined) return true
  if (!(await remote.reachable())) return false
  try {
    return await remote.hasHeardAll(remote.budget())
  } catch (error) {
    remote.failed(error)
    return false
  }
}

/** Gives the room of entries in Redis back, and tells nobody: they are as good as ever, there is only no need for them. Does not reject. */
export async function evictFromRedis(cache: Cache, keys: readonly string[]): Promise<void> {
  const { path, shared } = scopeOf(cache)
  if (keys.length > 0) await shared.remote?.evict(path, keys)
}

/** The time by the clock of Redis, in ms since 1970: what processes on several machines can agree on. By this machine's clock without Redis. */
export function redisTimeOf(cache: Cache): number {
  return scopeOf(cache).shared.remote?.redisTime ?? Date.now()
}

function peerChange({ path, mode, keys, labels, pattern, note }: Change): PeerChange {
  const named = (letter: string) => labels.filter((label) => label[0] === letter).map((label) => label.slice(1))
  return { namespace: path, mode, keys, tags: named('t'), rooms: named('r'), pattern, note, all: labels.includes('g') }
}
