import { encodeId } from '../backend/names.js'
import { after, type Awaitable, type Keyspace } from '../keyspace/keyspace.js'
import { defineOperation } from '../keyspace/operation.js'
import { text } from '../keyspace/reply.js'

/** Keys: map. Arguments: what it must be. */
const removeIfSame = defineOperation(
  `if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])`,
  (call, [key = ''], [expected]) => (call('GET', key) === expected ? call('UNLINK', key) : 0),
)

/** Who is at which socket. */
export class SocketMap {
  readonly #keyspace: Keyspace
  readonly #prefix: string
  readonly #ttlMs: number

  constructor(keyspace: Keyspace, prefix: string, ttlMs: number) {
    this.#keyspace = keyspace
    this.#prefix = prefix
    this.#ttlMs = ttlMs
  }

  set(id: string, socketId: string): Awaitable<unknown> {
    return this.#keyspace.send(['SET', this.#key(id), encodeId(socketId, 'socket id'), 'PX', this.#ttlMs])
  }

  get(id: string): Awaitable<string | undefined> {
    return after(this.#keyspace.send(['GET', this.#key(id)]), text)
  }

  /** With a socket: only if it is still that one. Who comes back with a new one does so before the old one is known to be gone. */
  remove(id: string, socketId: string | undefined): Awaitable<boolean> {
    const key = this.#key(id)
    const removed = socketId === undefined ? this.#keyspace.send(['UNLINK', key]) : this.#keyspace.run(removeIfSame, [key], [encodeId(socketId, 'socket id')])
    return after(removed, (count) => count === 1)
  }

  #key(id: string): string {
    return `${this.#prefix}:${encodeId(id, 'id')}`
  }
}
