import type { Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { type BackendChoice, chooseBackend } from '../backend/choice.js'
import { fromJson, toJson } from '../backend/json.js'
import { decodeId, encodeId } from '../backend/names.js'
import { text } from '../keyspace/reply.js'
import { IdIndex } from './id-index.js'

export interface ExpressSessionStoreOptions {
  /** How long a session lives whose cookie has no end of its own. Default `'1d'`. */
  readonly ttl?: Duration
}

/** The part of a session of `express-session` that is looked at. */
interface StoredSession {
  readonly cookie?: { readonly expires?: Date | string | null; readonly originalMaxAge?: number | null }
}

type Done<Result = unknown> = ((error?: unknown, result?: Result) => void) | undefined

const MOST_LISTED = 100_000
const REMOVED_AT_ONCE = 1000

/**
 * A store for `express-session`, given that package, of which its class of stores is taken. In Redis when one is configured, else in the memory of this process.
 * While a configured Redis is away, requests that need their session fail with `TIERCEL_REDIS_UNAVAILABLE`.
 *
 * `express-session` writes a session as a whole at the end of a request: of two requests of one visitor at the same time that both change it, the later one's is kept.
 *
 * @throws {InvalidOptionError} @throws {InvalidEnvironmentError}
 * @example
 * app.use(session({ store: createExpressSessionStore(session), secret, resave: false, saveUninitialized: false }))
 */
export function createExpressSessionStore<Store extends object>(
  session: { readonly Store: abstract new (...args: never[]) => Store },
  { ttl = '1d', ...choice }: ExpressSessionStoreOptions & BackendChoice = {},
): Store & { close(): Promise<void> } {
  const ttlMs = toMs(ttl, 'ttl')
  const { backend, close } = chooseBackend(choice)
  const { keyspace, prefix } = backend
  const index = new IdIndex(keyspace, `${prefix}index:express`)
  const keyOf = (id: string) => `${prefix}express:${encodeId(id, 'session id')}`
  const left = ({ cookie }: StoredSession) => {
    const end = cookie?.expires
    return end === undefined || end === null ? ttlMs : Math.max(1, Math.ceil(new Date(end).getTime() - Date.now()))
  }
  const read = async (id: string) => fromJson(text(await keyspace.send(['GET', keyOf(id)]))) ?? null
  const destroy = async (id: string) => {
    await keyspace.send(['UNLINK', keyOf(id)])
    await index.remove(encodeId(id, 'session id'))
  }

  const Base = session.Store as unknown as new () => object
  class TiercelSessionStore extends Base {
    get(id: string, done?: Done): void {
      settle(read(id), done)
    }

    set(id: string, data: StoredSession, done?: Done): void {
      settle(write(id, data), done)
    }

    /** The session was used and not changed. */
    touch(id: string, data: StoredSession, done?: Done): void {
      settle(renew(id, data), done)
    }

    destroy(id: string, done?: Done): void {
      settle(destroy(id), done)
    }

    all(done?: Done): void {
      settle(all(), done)
    }

    length(done?: Done<number>): void {
      settle(count(), done)
    }

    clear(done?: Done): void {
      settle(clear(), done)
    }

    close(): Promise<void> {
      return close()
    }
  }

  async function write(id: string, data: StoredSession): Promise<void> {
    const json = toJson(data, 'session')
    const ms = left(data)
    await index.add(encodeId(id, 'session id'), ms)
    await keyspace.send(['SET', keyOf(id), json, 'PX', ms])
  }

  async function renew(id: string, data: StoredSession): Promise<void> {
    const ms = left(data)
    if ((await keyspace.send(['PEXPIRE', keyOf(id), ms])) === 1) await index.add(encodeId(id, 'session id'), ms)
  }

  async function all(): Promise<unknown[]> {
    const ids = await index.list(MOST_LISTED)
    const sessions = await Promise.all(ids.map((id) => read(decodeId(id))))
    return sessions.flatMap((each, at) => (each === null ? [] : [{ ...(each as object), id: decodeId(ids[at] ?? '') }]))
  }

  async function count(): Promise<number> {
    return (await index.count()).left
  }

  async function clear(): Promise<void> {
    for (let ids = await index.list(REMOVED_AT_ONCE); ids.length > 0; ids = await index.list(REMOVED_AT_ONCE)) await Promise.all(ids.map((id) => destroy(decodeId(id))))
  }

  return new TiercelSessionStore() as unknown as Store & { close(): Promise<void> }
}

/** What the callback throws is its own business, and must not look like a failure of the store. */
function settle<Result>(result: Promise<Result>, done: Done<Result>): void {
  result.then(
    (value) => setImmediate(() => done?.(null, value)),
    (error: unknown) => setImmediate(() => done?.(error)),
  )
}
