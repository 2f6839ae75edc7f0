import { channel, type Channel } from 'node:diagnostics_channel'
import { Operations } from './operations.js'
import type { ConnectionStatus, Tier } from './stats.js'

/** What happens in a cache, by name. `namespace` is the full path, such as `tiercel:users`. */
export interface CacheEvents {
  /** A value was served fresh. */
  hit: { readonly namespace: string; readonly key: string; readonly tier: Tier }
  /** Nothing fresh was found. */
  miss: { readonly namespace: string; readonly key: string }
  /** A load ended well. `stored` tells whether its value was kept, `background` whether nobody waited for it. */
  load: { readonly namespace: string; readonly key: string; readonly durationMs: number; readonly stored: boolean; readonly background: boolean }
  /** A value was kept, by a load or by `set`. */
  set: { readonly namespace: string; readonly key: string; readonly ttlMs: number }
  /** Something was invalidated or expired. */
  invalidate: {
    readonly namespace: string
    readonly kind: 'key' | 'tag' | 'room' | 'pattern' | 'all'
    /** The key, tag, room or pattern. */
    readonly target?: string
    readonly mode: 'invalidate' | 'expire'
  }
  /** A stale value was served within grace: the load failed, was slow, or is not to be tried again yet. */
  stale: { readonly namespace: string; readonly key: string; readonly reason: 'load-failed' | 'load-slow' | 'load-postponed' }
  /** An error no caller was told of. */
  error: { readonly namespace: string; readonly key: string | undefined; readonly error: unknown; readonly during: 'load' | 'store' | 'redis' | 'listener' }
  /** The audit found that memory serves another value than Redis has. */
  disagreement: { readonly namespace: string; readonly key: string }
  /** The connection status or the life of the cache changed. */
  state: { readonly namespace: string; readonly status: ConnectionStatus; readonly closed: boolean }
}

export type CacheEventName = keyof CacheEvents
export type CacheListener<Name extends CacheEventName> = (event: CacheEvents[Name]) => void

/** Any logger with this method: pino, `console`. */
export interface Logger {
  warn(about: object, message: string): void
}

const EVENT_NAMES: readonly CacheEventName[] = ['hit', 'miss', 'load', 'set', 'invalidate', 'stale', 'error', 'disagreement', 'state']

export function isEventName(name: unknown): name is CacheEventName {
  return EVENT_NAMES.includes(name as CacheEventName)
}

export const eventNames: string = EVENT_NAMES.join(', ')

type AnyListener = (event: CacheEvents[CacheEventName]) => void

/** A listener, and the namespace whose events it wants: that one's and those of namespaces below it. */
interface Subscription {
  readonly path: string
  readonly listener: AnyListener
}

/**
 * One kind of event: its listeners, and the `node:diagnostics_channel` named `tiercel:` and the event. Whoever emits often asks
 * `wanted` first, so that an event nobody listens to is never built.
 */
class Topic {
  readonly #channel: Channel
  #subscriptions: readonly Subscription[] = []

  constructor(name: CacheEventName) {
    this.#channel = channel(`tiercel:${name}`)
  }

  get wanted(): boolean {
    return this.#subscriptions.length > 0 || this.#channel.hasSubscribers
  }

  // The list is replaced, never changed: a listener may end itself while the list is walked.
  add(subscription: Subscription): void {
    this.#subscriptions = [...this.#subscriptions, subscription]
  }

  remove(isIt: (subscription: Subscription) => boolean): void {
    const at = this.#subscriptions.findIndex(isIt)
    if (at >= 0) this.#subscriptions = this.#subscriptions.toSpliced(at, 1)
  }

  emit(event: CacheEvents[CacheEventName], onListenerError: (error: unknown) => void): void {
    if (this.#channel.hasSubscribers) this.#channel.publish(event)
    for (const { path, listener } of this.#subscriptions) {
      if (event.namespace !== path && !event.namespace.startsWith(`${path}:`)) continue
      try {
        const result: unknown = listener(event)
        // An async listener: its rejection would otherwise end the process.
        if (result instanceof Promise) result.catch(onListenerError)
      } catch (error) {
        onListenerError(error)
      }
    }
  }
}

/** The events of one cache and all its namespaces, and what takes time in them. */
export class EventHub {
  readonly hit = new Topic('hit')
  readonly miss = new Topic('miss')
  readonly load = new Topic('load')
  readonly set = new Topic('set')
  readonly invalidate = new Topic('invalidate')
  readonly stale = new Topic('stale')
  readonly error = new Topic('error')
  readonly disagreement = new Topic('disagreement')
  readonly state = new Topic('state')
  readonly operations = new Operations()

  constructor(readonly logger: Logger | undefined) {}

  /** Returns a function that ends it. */
  listen<Name extends CacheEventName>(name: Name, path: string, listener: CacheListener<Name>): () => void {
    const subscription: Subscription = { path, listener: listener as AnyListener }
    this[name].add(subscription)
    return () => this[name].remove((other) => other === subscription)
  }

  unlisten<Name extends CacheEventName>(name: Name, path: string, listener: CacheListener<Name>): void {
    this[name].remove((subscription) => subscription.path === path && subscription.listener === listener)
  }

  emit<Name extends CacheEventName>(name: Name, event: CacheEvents[Name]): void {
    const topic = this[name]
    if (topic.wanted) topic.emit(event, (error) => this.#listenerFailed(name, event.namespace, error))
    if (name === 'error') this.#log(event as CacheEvents['error'])
  }

  #listenerFailed(name: CacheEventName, namespace: string, error: unknown): void {
    const report: CacheEvents['error'] = { namespace, key: undefined, error, during: 'listener' }
    // A listener of `error` that throws must not be told of its own error again.
    if (name === 'error') this.#log(report)
    else this.emit('error', report)
  }

  // Never the key: keys hold user names and tokens, and logs travel.
  #log({ namespace, error, during }: CacheEvents['error']): void {
    try {
      this.logger?.warn({ namespace, during, err: error }, `tiercel: an error during ${during} that no caller was told of`)
    } catch {
      // A logger that fails has nobody left to tell.
    }
  }
}
