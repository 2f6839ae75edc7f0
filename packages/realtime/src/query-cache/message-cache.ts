import { createHash } from 'node:crypto'
import { type Cache, cacheOptionsFromEnv, createCache, type Duration } from '@tiercel/core'

export interface MessageCacheOptions {
  /** On which cache: it is used under the namespace `messages`, and not closed. Default: one of its own, by the environment. */
  readonly cache?: Cache
  /** How long an analysis is kept. Default `'24h'`. */
  readonly ttl?: Duration
}

/**
 * What was found out about messages, such as by a language model: once for each text, in all processes. The text itself is in no key. Those who analyse in several
 * ways have a name for each.
 */
export class MessageCache<Analysis = unknown> {
  readonly #cache: Cache
  readonly #ttl: Duration
  readonly #close: () => Promise<void>

  constructor({ cache, ttl = '24h' }: MessageCacheOptions = {}) {
    const own = cache === undefined ? createCache(cacheOptionsFromEnv(process.env)) : undefined
    this.#cache = (cache ?? own)?.namespace('messages') as Cache
    this.#ttl = ttl
    this.#close = async () => await own?.close()
  }

  async get(text: string, kind = 'analysis'): Promise<Analysis | undefined> {
    return await this.#cache.get<Analysis>(keyOf(text, kind))
  }

  async set(text: string, analysis: Analysis, kind = 'analysis'): Promise<void> {
    await this.#cache.set(keyOf(text, kind), analysis, { ttl: this.#ttl, tags: [kind] })
  }

  /** As `get`, and else `analyse`: once for all who ask at the same time, in all processes. */
  async getOrAnalyse(text: string, analyse: () => Analysis | Promise<Analysis>, kind = 'analysis'): Promise<Analysis> {
    return await this.#cache.getOrSet(keyOf(text, kind), analyse, { ttl: this.#ttl, tags: [kind] })
  }

  /** Forgets all analyses of a kind: after the way they are made has changed. */
  async invalidateKind(kind = 'analysis'): Promise<void> {
    await this.#cache.invalidateTag(kind)
  }

  /** Closes its own cache, if it was not given one. */
  close(): Promise<void> {
    return this.#close()
  }
}

function keyOf(text: string, kind: string): string {
  return `${kind}:${createHash('sha256').update(text).digest('base64url')}`
}

/** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
export function createMessageCache<Analysis = unknown>(options: MessageCacheOptions = {}): MessageCache<Analysis> {
  return new MessageCache(options)
}
