import type { Backend } from '../backend/backend.js'
import type { ChannelListener } from '../channels/pub-sub.js'
import type { QueueItem } from '../queues/key-queue.js'

/** What a storage holds, for those who want it typed: `createStorage<{ session: Session; event: Event … }>()`. All of it must be JSON. */
export interface StorageModel {
  session: object
  event: unknown
  chain: unknown
  command: unknown
  input: unknown
}

export interface AnyStorageModel extends StorageModel {
  session: Record<string, unknown>
}

/** An event as all processes hear of it, on the channel `events`. */
export interface StoredEvent<Event = unknown> {
  readonly sessionId: string
  readonly event: Event
  /** When it was added, in milliseconds since 1970, by the clock of the process that added it. */
  readonly timestamp: number
}

export interface AddOptions {
  /** What was added under this name before, within the queue's time, is not added again. */
  readonly idempotencyKey?: string
}

/** What a storage does; in Redis each gives a promise. */
export interface StorageCalls<M extends StorageModel> {
  /** Replaces the whole session. */
  setSession(sessionId: string, session: M['session']): void
  getSession(sessionId: string): M['session'] | undefined
  /** Replaces the fields that are named, and none that another process changes at the same time. `undefined` when there is no such session. */
  updateSession(sessionId: string, changes: Partial<M['session']>): M['session'] | undefined
  /** With everything that belongs to it. Gives whether there was one. */
  deleteSession(sessionId: string): boolean
  /** Those that expire first come first. Default: at most 1000. */
  getSessions(limit?: number): { readonly sessionId: string; readonly session: M['session'] }[]

  /** Appends, and tells all processes. Beyond `maxEvents` the oldest go. */
  addEvent(sessionId: string, event: M['event']): void
  /** The last of them, oldest first. Default: all. */
  getEvents(sessionId: string, limit?: number): M['event'][]

  /** Stores it by its id, which is its field `id` unless it is given, and appends it to those of the session; one that is there already moves to the end. */
  addChain(sessionId: string, chain: M['chain'], chainId?: string): void
  /** Replaces it, without belonging to a session if it does not yet. */
  setChain(chainId: string, chain: M['chain']): void
  getChain(chainId: string): M['chain'] | undefined
  /** In the order in which they were added. */
  getChains(sessionId: string): M['chain'][]

  /** Puts it at the end of the queue. Gives its id, or `undefined` when it was added before. */
  addCommand(sessionId: string, command: M['command'], options?: AddOptions): string | undefined
  /** All that wait, without taking them. */
  getCommands(sessionId: string): M['command'][]
  /** Takes all that wait, for good. Each is given to one taker only. */
  takeCommands(sessionId: string): M['command'][]
  /** Takes the oldest until they are acknowledged, or given to another after a while. Default: one. */
  claimCommands(sessionId: string, count?: number): QueueItem<M['command']>[]
  acknowledgeCommands(sessionId: string, ids: readonly string[]): number

  /** As for commands. */
  addInput(sessionId: string, input: M['input'], options?: AddOptions): string | undefined
  getInput(sessionId: string): M['input'][]
  takeInput(sessionId: string): M['input'][]
  claimInput(sessionId: string, count?: number): QueueItem<M['input']>[]
  acknowledgeInput(sessionId: string, ids: readonly string[]): number
}

/** What both have. */
interface StorageBase<M extends StorageModel> {
  readonly backend: Backend
  /** Told of each event that any process adds. Resolves when it is. Returns a function that ends it. */
  onEvent(listener: (event: StoredEvent<M['event']>) => void): Promise<() => void>
  /** Ends what it opened itself. */
  close(): Promise<void>
}

type Promised<Calls> = { [Name in keyof Calls]: Calls[Name] extends (...args: infer Args) => infer Result ? (...args: Args) => Promise<Result> : never }

/** A storage in the memory of this process. Its calls give their results at once; they may be awaited all the same. */
export interface SyncStorage<M extends StorageModel = AnyStorageModel> extends StorageCalls<M>, StorageBase<M> {}

/**
 * A storage in Redis. While Redis is away its calls reject with `TIERCEL_REDIS_UNAVAILABLE`, and after the deadline with `TIERCEL_REDIS_TIMEOUT`; in the latter case
 * it may have been done.
 */
export interface AsyncStorage<M extends StorageModel = AnyStorageModel> extends Promised<StorageCalls<M>>, StorageBase<M> {
  /** Hears a channel of all processes: `events`, or any other name. Returns a function that ends it. */
  subscribe<Data = unknown>(channel: string, listener: ChannelListener<Data>): Promise<() => void>
  /** Tells all processes. Gives whether Redis took it for the others. */
  publish(channel: string, data: unknown): Promise<boolean>
}

export type Storage<M extends StorageModel = AnyStorageModel> = SyncStorage<M> | AsyncStorage<M>
