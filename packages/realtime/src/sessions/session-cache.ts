import { InvalidArgumentError } from '@tiercel/core'
import type { Backend } from '../backend/backend.js'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { fromJson, toJson } from '../backend/json.js'
import { lazily } from '../backend/lazily.js'
import { decodeId, encodeId } from '../backend/names.js'
import { text } from '../keyspace/reply.js'
import { IdIndex } from './id-index.js'

const LONGEST_TTL_SECONDS = 315_360_000
/** So many sessions of a user are removed in one go. */
const REMOVED_AT_ONCE = 1000

export interface SessionCacheOptions<Data extends object> {
  /** Whose session it is; `undefined`: nobody's. Default: its field `userId`, if that is a string. */
  userOf?(data: Data): string | undefined
}

/** What is known of a socket, found by its id; and by its user, to remove all of them. While a configured Redis is away its calls reject with `TIERCEL_REDIS_UNAVAILABLE`. */
export class SessionCache<Data extends object = Record<string, unknown>> {
  readonly #backend: Backend
  readonly #chosen: ChosenBackend
  readonly #userOf: (data: Data) => string | undefined

  constructor({ userOf = fieldUserId, ...choice }: SessionCacheOptions<Data> & BackendChoice = {}) {
    this.#userOf = userOf
    this.#chosen = chooseBackend(choice)
    this.#backend = this.#chosen.backend
  }

  async getSession(socketId: string): Promise<Data | undefined> {
    return fromJson(text(await this.#backend.keyspace.send(['GET', this.#key(socketId)]))) as Data | undefined
  }

  /** @throws {InvalidArgumentError} for a time that is none, and for what cannot be written as JSON. */
  async setSession(socketId: string, data: Data, ttlSeconds: number): Promise<void> {
    const ttlMs = ttlSeconds * 1000
    if (typeof ttlSeconds !== 'number' || !(ttlMs >= 1 && ttlSeconds <= LONGEST_TTL_SECONDS)) throw new InvalidArgumentError('ttlSeconds must be a number of seconds above 0')
    const json = toJson(data, 'session')
    const userId = this.#userOf(data)
    // Found before it is there: whoever removes the user's sessions now must not miss it.
    if (userId !== undefined) await this.#ofUser(userId).add(encodeId(socketId, 'socket id'), ttlMs)
    await this.#backend.keyspace.send(['SET', this.#key(socketId), json, 'PX', Math.round(ttlMs)])
  }

  /** Gives whether there was one. */
  async deleteSession(socketId: string): Promise<boolean> {
    const session = await this.getSession(socketId)
    if (session === undefined) return false
    const removed = await this.#backend.keyspace.send(['UNLINK', this.#key(socketId)])
    const userId = this.#userOf(session)
    if (userId !== undefined) await this.#ofUser(userId).remove(encodeId(socketId, 'socket id'))
    return removed === 1
  }

  /** All sessions of a user, whichever process has them. Gives how many there were. */
  async deleteUserSessions(userId: string): Promise<number> {
    const index = this.#ofUser(userId)
    let removed = 0
    for (;;) {
      const ids = await index.list(REMOVED_AT_ONCE)
      const counts = await Promise.all(ids.map((id) => this.#remove(decodeId(id), userId)))
      removed += counts.filter(Boolean).length
      await Promise.all(ids.map((id) => index.remove(id)))
      if (ids.length < REMOVED_AT_ONCE) return removed
    }
  }

  /** Closes what it opened: nothing, when it was given a backend or uses that of the process. */
  close(): Promise<void> {
    return this.#chosen.close()
  }

  /** Socket ids are used once, but who gives one to another user does not lose that user's session. */
  async #remove(socketId: string, userId: string): Promise<boolean> {
    const session = await this.getSession(socketId)
    if (session === undefined || this.#userOf(session) !== userId) return false
    return (await this.#backend.keyspace.send(['UNLINK', this.#key(socketId)])) === 1
  }

  #ofUser(userId: string): IdIndex {
    return new IdIndex(this.#backend.keyspace, `${this.#backend.prefix}index:user-sockets:${encodeId(userId, 'user id')}`)
  }

  #key(socketId: string): string {
    return `${this.#backend.prefix}socket:${encodeId(socketId, 'socket id')}`
  }
}

function fieldUserId(data: object): string | undefined {
  const userId: unknown = 'userId' in data ? data.userId : undefined
  return typeof userId === 'string' ? userId : undefined
}

/** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
export function createSessionCache<Data extends object = Record<string, unknown>>(options: SessionCacheOptions<Data> & BackendChoice = {}): SessionCache<Data> {
  return new SessionCache(options)
}

/** The sessions by socket of the process, by its environment; opened at the first use. */
export const sessionCache: SessionCache = lazily((backend) => new SessionCache({ backend }))
