// What Tiercel's other packages are built on, and yours can be: the one place that knows Redis clients, deadlines, outages and what must not be in an error.
import { sharedOf } from './cache/cache.js'
import type { Change } from './coherence/index.js'
import type { Cache } from './index.js'
import type { RedisLink } from './redis/index.js'

export { hitOf } from './cache/cache.js'
export { defineScript, slotOf, type MasterNode, type Reply, type Subscription, type SubscriptionHandlers } from './redis/clients/index.js'
export type { Argument } from './redis/clients/reply.js'
export type { Script } from './redis/clients/script.js'
export { globMatcher } from './coherence/index.js'
export { toMs } from './options/duration.js'
export { openLink, RedisLink, type LinkOptions, type OwnLink, type RedisOptions, type RedisState, type RedisTarget } from './redis/index.js'

/** The cache's own connection to Redis, for more than a cache does; `undefined` when the cache is in this process only. It closes with the cache. */
export function linkOf(cache: Cache): RedisLink | undefined {
  return sharedOf(cache).remote?.link
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
  /** The whole namespace and those below it. */
  readonly all: boolean
}

export interface PeerWatcher {
  onChange(change: PeerChange): void
  /** Something may have been missed: all that is known may be old. */
  onFlush(): void
}

/** Tells what other processes change in the namespace of `cache` and below, after the cache itself has forgotten it. Returns a function that ends it. */
export function watchPeers(cache: Cache, { onChange, onFlush }: PeerWatcher): () => void {
  const { watchers } = sharedOf(cache)
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

function peerChange({ path, mode, keys, labels, pattern }: Change): PeerChange {
  const named = (letter: string) => labels.filter((label) => label[0] === letter).map((label) => label.slice(1))
  return { namespace: path, mode, keys, tags: named('t'), rooms: named('r'), pattern, all: labels.includes('g') }
}
