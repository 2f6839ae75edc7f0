import { randomUUID } from 'node:crypto'
import { ClosedError, type ConnectionStatus, type Duration, RedisError } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import type { Backend } from '../backend/backend.js'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { encodeId, wholeNumber } from '../backend/names.js'
import { beside, type Value } from '../keyspace/keyspace.js'
import type { Operation } from '../keyspace/operation.js'
import { texts } from '../keyspace/reply.js'
import { Heart } from './heart.js'
import { buryOperation, declareOperation, lookOperation, renewOperation, setOperation } from './operations.js'
import { RoomRegistry } from './room-registry.js'

const LONGEST_TTL_MS = 86_400_000
/** All rooms together. No room is called so: names of rooms are not empty. */
const EVERYWHERE = ''
/** The channel of changes. */
const CHANNEL = 'presence'
/** So many rooms are renewed at once. */
const AT_ONCE = 100
/** So often a look meets processes that have to be buried first: then it gives what it has. */
const MOST_LOOKS = 10

export interface PresenceChange {
  /** `join` and `leave`: of a room. `online` and `offline`: of all rooms together. */
  readonly type: 'join' | 'leave' | 'online' | 'offline'
  readonly userId: string
  /** Of `join` and `leave`. */
  readonly room?: string
}

export interface PresenceOptions {
  /** How long the sockets of a process stay online when it does not renew them any more. It renews three times as often. Default `'5m'`. */
  readonly ttl?: Duration
}

export interface PresenceStats {
  /** Sockets of this process, now. */
  readonly sockets: number
  /** Rooms that this process has sockets in. */
  readonly rooms: number
  /** Rooms of which Redis may think otherwise, because it could not be told. */
  readonly untold: number
}

export interface PresenceHealth {
  readonly healthy: boolean
  readonly redis: ConnectionStatus
}

/**
 * Who is online, in which rooms, over all processes. A user is online until the last of the user's sockets is gone, whichever process it came to. Sockets belong to
 * the process that set them online and live as long as it renews its presence, with one command for each room it has sockets in, however many those are.
 *
 * While a configured Redis is away each process knows of its own sockets only, and tells Redis of them when it is back.
 */
export class PresenceService {
  readonly #backend: Backend
  readonly #chosen: ChosenBackend
  readonly #process = randomUUID()
  readonly #registry = new RoomRegistry()
  /** Rooms of which Redis may think otherwise. */
  readonly #unsure = new Set<string>()
  /** Rooms that the process is known to have sockets in. */
  readonly #remembered = new Set<string>()
  readonly #ttlMs: number
  readonly #heart: Heart
  readonly #end: () => void
  #closed = false

  constructor({ ttl = '5m', ...choice }: PresenceOptions & BackendChoice = {}) {
    this.#ttlMs = wholeNumber(toMs(ttl, 'ttl'), 'ttl', 30, LONGEST_TTL_MS)
    this.#chosen = chooseBackend(choice)
    this.#backend = this.#chosen.backend
    this.#heart = new Heart(this.#backend, { everyMs: this.#ttlMs / 3, beat: () => this.#beat(), isBehind: () => this.#unsure.size > 0 })
    this.#end = this.#backend.beforeClose(() => this.close())
  }

  /**
   * The socket is one of the user's, in that room; without a room, in none.
   *
   * @returns Whether Redis knows; if not, it is told as soon as possible.
   */
  async setOnline(userId: string, socketId: string, roomId?: string): Promise<boolean> {
    this.#check()
    encodeId(userId, 'user id')
    encodeId(socketId, 'socket id')
    if (roomId !== undefined) encodeId(roomId, 'room id')
    // A socket is one user's: if it was another's, it is so nowhere any more.
    const rooms = [...new Set([...this.#registry.roomsOf(socketId), ...(roomId === undefined ? [] : [roomId])])].filter((room) => room !== EVERYWHERE)
    for (const room of [...rooms, EVERYWHERE]) this.#registry.set(room, socketId, userId)
    this.#heart.start()
    return await this.#tell(rooms, socketId, userId)
  }

  /**
   * The socket is gone from that room; without a room, from all.
   *
   * @returns Whether Redis knows; if not, it is told as soon as possible.
   */
  async setOffline(userId: string, socketId: string, roomId?: string): Promise<boolean> {
    this.#check()
    encodeId(userId, 'user id')
    const rooms = roomId === undefined ? this.#registry.roomsOf(socketId) : [roomId]
    for (const room of rooms) this.#registry.remove(room, socketId)
    const left = this.#registry.roomsOf(socketId)
    const isGone = left.every((room) => room === EVERYWHERE)
    if (isGone) this.#registry.remove(EVERYWHERE, socketId)
    return await this.#tell(rooms.filter((room) => room !== EVERYWHERE), socketId, undefined, isGone)
  }

  /** Whether the user has a socket anywhere. */
  async isOnline(userId: string): Promise<boolean> {
    encodeId(userId, 'user id')
    return (await this.#usersOf(EVERYWHERE, userId)).length > 0
  }

  /** The users with a socket in that room, in no particular order; without a room, all of them. */
  async getOnlineUsers(roomId?: string): Promise<string[]> {
    if (roomId !== undefined) encodeId(roomId, 'room id')
    return await this.#usersOf(roomId ?? EVERYWHERE, '')
  }

  /** Told of each change once, whichever process it happened in. Resolves when it is. Returns a function that ends it. */
  async onChange(listener: (change: PresenceChange) => void): Promise<() => void> {
    // Somebody has to notice what others do not tell any more.
    this.#heart.start()
    return await this.#backend.pubSub.subscribe<PresenceChange>(CHANNEL, (change) => listener(change))
  }

  /** Renews what this process has, tells what was not told, and buries processes that do not renew theirs. By itself three times in `ttl`. Never rejects. */
  heartbeat(): Promise<void> {
    return this.#heart.beat()
  }

  /** Of this process only. */
  stats(): PresenceStats {
    const rooms = this.#registry.rooms.filter((room) => room !== EVERYWHERE)
    return { sockets: this.#registry.count(EVERYWHERE), rooms: rooms.length, untold: this.#unsure.size }
  }

  /** Whether this process knows of the sockets of others. Does not ask Redis. */
  health(): PresenceHealth {
    return { healthy: !this.#closed && !this.#backend.isAway, redis: this.#backend.getConnectionStatus() }
  }

  /** All sockets of this process go offline, and the heart stops. Ends connections that it opened itself. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const stopping = this.#heart.stop()
    this.#end()
    const rooms = this.#rooms
    this.#registry.clear()
    await stopping
    if (!this.#backend.isAway) await this.#leave(rooms).catch(() => {})
    await this.#chosen.close()
  }

  /** All rooms together come last: should another not be left, the process still counts, and whoever buries it finds that one. */
  async #leave(rooms: readonly string[]): Promise<void> {
    for (let at = 0; at < rooms.length; at += AT_ONCE) await Promise.all(rooms.slice(at, at + AT_ONCE).map((room) => this.#declare(room)))
    await this.#declare(EVERYWHERE)
    await this.#send(['UNLINK', this.#roomsOf(this.#process)])
  }

  /** All rooms together come last: while a process counts there, it is looked for in its rooms. */
  async #tell(rooms: readonly string[], socket: string, user: string | undefined, isEverywhere = true): Promise<boolean> {
    const all = isEverywhere ? [...rooms, EVERYWHERE] : rooms
    const args = [socket, ...(user === undefined ? [] : [user])]
    try {
      await Promise.all(user === undefined ? [] : rooms.map((room) => this.#remember(room)))
      await Promise.all(all.map((room) => this.#run(setOperation, room, this.#process, args)))
      await Promise.all(rooms.map((room) => this.#forget(room)))
      return true
    } catch (error) {
      for (const room of all) this.#unsure.add(room)
      this.#heart.soon()
      if (error instanceof RedisError) return false
      throw error
    }
  }

  /** In which rooms this process has sockets: whoever buries it has to find them, also those in which it is alone. */
  async #remember(room: string): Promise<void> {
    if (this.#remembered.has(room)) return
    const key = this.#roomsOf(this.#process)
    await Promise.all([this.#send(['SADD', key, room]), this.#send(['PEXPIRE', key, this.#keepMs])])
    this.#remembered.add(room)
  }

  async #forget(room: string): Promise<void> {
    if (this.#registry.count(room) === 0 && this.#remembered.delete(room)) await this.#send(['SREM', this.#roomsOf(this.#process), room])
  }

  /** Those this process has sockets in, and those Redis may think it has. */
  get #rooms(): string[] {
    return [...new Set([...this.#registry.rooms, ...this.#unsure])].filter((room) => room !== EVERYWHERE)
  }

  /** Keys are kept longer than what is in them counts: what is left of a process is found, and told. */
  get #keepMs(): number {
    return 3 * this.#ttlMs
  }

  async #beat(): Promise<void> {
    const rooms = this.#rooms
    // It is gone when Redis has lost it.
    if (rooms.length > 0 && (await this.#send(['PEXPIRE', this.#roomsOf(this.#process), this.#keepMs])) === 0) this.#remembered.clear()
    for (let at = 0; at < rooms.length; at += AT_ONCE) await Promise.all(rooms.slice(at, at + AT_ONCE).map((room) => this.#renew(room)))
    await this.#renew(EVERYWHERE)
  }

  async #renew(room: string): Promise<void> {
    if (this.#unsure.has(room)) await this.#declare(room)
    const count = this.#registry.count(room)
    const [isKnown, ...dead] = texts(await this.#run(renewOperation, room, this.#process, [count]))
    if (isKnown === '0' && count > 0 && count === this.#registry.count(room)) await this.#declare(room)
    for (const process of dead) if (process !== this.#process) await this.#bury(room, process)
  }

  async #declare(room: string): Promise<void> {
    this.#unsure.delete(room)
    try {
      if (room !== EVERYWHERE && this.#registry.count(room) > 0) await this.#remember(room)
      await this.#run(declareOperation, room, this.#process, this.#registry.socketsOf(room))
    } catch (error) {
      this.#unsure.add(room)
      throw error
    }
  }

  async #bury(room: string, process: string): Promise<void> {
    if (room === EVERYWHERE) {
      const key = this.#roomsOf(process)
      // It renews its rooms a little before or after all of them together.
      for (const other of texts(await this.#send(['SMEMBERS', key]))) await this.#run(buryOperation, other, process, [this.#ttlMs / 3])
      await this.#send(['UNLINK', key])
    }
    await this.#run(buryOperation, room, process, [0])
  }

  async #usersOf(room: string, user: string): Promise<string[]> {
    try {
      for (let looks = 0; ; looks++) {
        const [what, found] = (await this.#backend.keyspace.run(lookOperation, this.#keys(room, '').slice(0, 2), [user])) as [string, string[]]
        if (what === 'users' || looks === MOST_LOOKS) return what === 'users' ? found : []
        for (const process of found) await this.#bury(room, process)
      }
    } catch (error) {
      if (!(error instanceof RedisError)) throw error
      const here = this.#registry.users(room)
      return user === '' ? [...here] : here.has(user) ? [user] : []
    }
  }

  async #run(operation: Operation, room: string, process: string, args: readonly (string | number)[]): Promise<Value> {
    const { keyspace, prefix, serverId } = this.#backend
    return await keyspace.run(operation, this.#keys(room, process), [process, this.#ttlMs, this.#keepMs, prefix + CHANNEL, serverId, room, ...args])
  }

  async #send(command: readonly (string | number)[]): Promise<Value> {
    return await this.#backend.keyspace.send(command)
  }

  #keys(room: string, process: string): [users: string, processes: string, sockets: string] {
    const key = `${this.#backend.prefix}presence${room === EVERYWHERE ? '' : `:${encodeId(room, 'room id')}`}`
    return [key, beside(key, 'processes'), beside(key, `of:${process}`)]
  }

  #roomsOf(process: string): string {
    return `${this.#backend.prefix}presence-rooms:${process}`
  }

  #check(): void {
    if (this.#closed) throw new ClosedError('The presence service was closed')
  }
}
