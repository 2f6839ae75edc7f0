import { ConflictError, InvalidArgumentError } from '@tiercel/core'
import type { Backend } from '../backend/backend.js'
import { fromJson, toJson } from '../backend/json.js'
import { decodeId, encodeId, wholeNumber } from '../backend/names.js'
import { encodeMessage } from '../channels/message.js'
import { after, beside, type Awaitable } from '../keyspace/keyspace.js'
import { text, texts } from '../keyspace/reply.js'
import { inSteps, step, together, type Steps } from '../keyspace/steps.js'
import { KeyQueue, type QueueItem } from '../queues/key-queue.js'
import { IdIndex } from '../sessions/id-index.js'
import type { AddOptions, StorageCalls, StorageModel, StoredEvent } from './interface.js'
import { appendAndTell, moveToEnd, replaceIfSame } from './operations.js'
import type { StorageLimits } from './options.js'

/** The channel of events. */
export const EVENTS = 'events'

/** So often an update is tried when others change the same session at the same time. */
const MOST_TRIES = 100

type Calls<M extends StorageModel> = { [Name in keyof StorageCalls<M>]: (...args: Parameters<StorageCalls<M>[Name]>) => Awaitable<ReturnType<StorageCalls<M>[Name]>> }

/** The data model on any keyspace: what a memory gives at once is given at once. */
export class KeyspaceStorage<M extends StorageModel> implements Calls<M> {
  readonly #backend: Backend
  readonly #limits: StorageLimits
  readonly #index: IdIndex

  constructor(backend: Backend, limits: StorageLimits) {
    this.#backend = backend
    this.#limits = limits
    this.#index = new IdIndex(backend.keyspace, `${backend.prefix}index:sessions`)
  }

  setSession(sessionId: string, session: M['session']): Awaitable<void> {
    const id = encodeId(sessionId, 'session id')
    const json = toJson(session, 'session')
    const { keyspace } = this.#backend
    const { sessionMs } = this.#limits
    const key = this.#key('sessions', sessionId)
    const index = this.#index
    return inSteps(function* () {
      yield* step(index.add(id, sessionMs))
      yield* step(keyspace.send(['SET', key, json, 'PX', sessionMs]))
    })
  }

  getSession(sessionId: string): Awaitable<M['session'] | undefined> {
    return this.#read(this.#key('sessions', sessionId))
  }

  updateSession(sessionId: string, changes: Partial<M['session']>): Awaitable<M['session'] | undefined> {
    const id = encodeId(sessionId, 'session id')
    const { keyspace } = this.#backend
    const { sessionMs } = this.#limits
    const key = this.#key('sessions', sessionId)
    const index = this.#index
    return inSteps(function* (): Steps<M['session'] | undefined> {
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        const before = text(yield* step(keyspace.send(['GET', key])))
        if (before === undefined) return undefined
        const session = { ...(fromJson(before) as object), ...changes } as M['session']
        yield* step(index.add(id, sessionMs))
        if ((yield* step(keyspace.run(replaceIfSame, [key], [before, toJson(session, 'session'), sessionMs]))) === 1) return session
      }
      throw new ConflictError('Others change this session all the time')
    })
  }

  deleteSession(sessionId: string): Awaitable<boolean> {
    const id = encodeId(sessionId, 'session id')
    const { keyspace, prefix } = this.#backend
    const index = this.#index
    const [session, events, chains, commands, input] = (['sessions', 'events', 'chains', 'commands', 'input'] as const).map((type) => this.#key(type, sessionId)) as [string, string, string, string, string]
    const others = [events, chains, commands, beside(commands, 'seen'), input, beside(input, 'seen')]
    return inSteps(function* () {
      const chainIds = texts(yield* step(keyspace.send(['LRANGE', chains, 0, -1])))
      const keys = [...chainIds.map((chainId) => `${prefix}chain:${chainId}`), ...others]
      yield* step(together(keys.map((key) => keyspace.send(['UNLINK', key]))))
      const count = yield* step(keyspace.send(['UNLINK', session]))
      yield* step(index.remove(id))
      return count === 1
    })
  }

  getSessions(limit = 1000): Awaitable<{ sessionId: string; session: M['session'] }[]> {
    wholeNumber(limit, 'limit', 1, 100_000)
    const index = this.#index
    const read = (id: string) => this.#read<M['session']>(`${this.#backend.prefix}sessions:${id}`)
    return inSteps(function* () {
      const ids = yield* step(index.list(limit))
      const sessions = yield* step(together(ids.map(read)))
      return ids.flatMap((id, at) => (sessions[at] === undefined ? [] : [{ sessionId: decodeId(id), session: sessions[at] }]))
    })
  }

  addEvent(sessionId: string, event: M['event']): Awaitable<void> {
    const { prefix, keyspace, serverId } = this.#backend
    const { maxEvents, eventsMs } = this.#limits
    const key = this.#key('events', sessionId)
    const json = toJson(event, 'event')
    const stored: StoredEvent = { sessionId, event, timestamp: Date.now() }
    return after(keyspace.run(appendAndTell, [key], [json, maxEvents, eventsMs, prefix + EVENTS, encodeMessage(stored, { serverId })]), () => {})
  }

  getEvents(sessionId: string, limit?: number): Awaitable<M['event'][]> {
    const from = limit === undefined ? 0 : -wholeNumber(limit, 'limit', 1, 1_000_000)
    return after(this.#backend.keyspace.send(['LRANGE', this.#key('events', sessionId), from, -1]), (reply) => texts(reply).map(fromJson))
  }

  addChain(sessionId: string, chain: M['chain'], chainId: string = idOf(chain)): Awaitable<void> {
    const { maxEvents, chainsMs } = this.#limits
    const list = this.#key('chains', sessionId)
    const id = encodeId(chainId, 'chain id')
    // The list must not name what is not there yet.
    return after(this.setChain(chainId, chain), () => after(this.#backend.keyspace.run(moveToEnd, [list], [id, maxEvents, chainsMs]), () => {}))
  }

  setChain(chainId: string, chain: M['chain']): Awaitable<void> {
    return after(this.#backend.keyspace.send(['SET', this.#key('chain', chainId), toJson(chain, 'chain'), 'PX', this.#limits.chainMs]), () => {})
  }

  getChain(chainId: string): Awaitable<M['chain'] | undefined> {
    return this.#read(this.#key('chain', chainId))
  }

  getChains(sessionId: string): Awaitable<M['chain'][]> {
    const { keyspace, prefix } = this.#backend
    const list = this.#key('chains', sessionId)
    const read = (id: string) => this.#read<M['chain']>(`${prefix}chain:${id}`)
    return inSteps(function* () {
      const ids = texts(yield* step(keyspace.send(['LRANGE', list, 0, -1])))
      const chains = yield* step(together(ids.map(read)))
      return chains.filter((chain) => chain !== undefined)
    })
  }

  addCommand(sessionId: string, command: M['command'], options?: AddOptions): Awaitable<string | undefined> {
    return this.#commands(sessionId).add(command, options?.idempotencyKey)
  }

  getCommands(sessionId: string): Awaitable<M['command'][]> {
    return after(this.#commands(sessionId).list(), values)
  }

  takeCommands(sessionId: string): Awaitable<M['command'][]> {
    return after(this.#commands(sessionId).drain(), values)
  }

  claimCommands(sessionId: string, count = 1): Awaitable<QueueItem<M['command']>[]> {
    return this.#commands(sessionId).claim(wholeNumber(count, 'count', 1, 100_000))
  }

  acknowledgeCommands(sessionId: string, ids: readonly string[]): Awaitable<number> {
    return this.#commands(sessionId).acknowledge(ids)
  }

  addInput(sessionId: string, input: M['input'], options?: AddOptions): Awaitable<string | undefined> {
    return this.#input(sessionId).add(input, options?.idempotencyKey)
  }

  getInput(sessionId: string): Awaitable<M['input'][]> {
    return after(this.#input(sessionId).list(), values)
  }

  takeInput(sessionId: string): Awaitable<M['input'][]> {
    return after(this.#input(sessionId).drain(), values)
  }

  claimInput(sessionId: string, count = 1): Awaitable<QueueItem<M['input']>[]> {
    return this.#input(sessionId).claim(wholeNumber(count, 'count', 1, 100_000))
  }

  acknowledgeInput(sessionId: string, ids: readonly string[]): Awaitable<number> {
    return this.#input(sessionId).acknowledge(ids)
  }

  #read<T>(key: string): Awaitable<T | undefined> {
    return after(this.#backend.keyspace.send(['GET', key]), (reply) => fromJson(text(reply)) as T | undefined)
  }

  #key(type: 'sessions' | 'events' | 'chains' | 'chain' | 'commands' | 'input', id: string): string {
    return `${this.#backend.prefix}${type}:${encodeId(id, type === 'chain' ? 'chain id' : 'session id')}`
  }

  #commands(sessionId: string): KeyQueue<M['command']> {
    return new KeyQueue(this.#backend.keyspace, this.#key('commands', sessionId), this.#limits.commands)
  }

  #input(sessionId: string): KeyQueue<M['input']> {
    return new KeyQueue(this.#backend.keyspace, this.#key('input', sessionId), this.#limits.input)
  }
}

function idOf(chain: unknown): string {
  const id: unknown = typeof chain === 'object' && chain !== null && 'id' in chain ? chain.id : undefined
  if (typeof id !== 'string') throw new InvalidArgumentError('A chain needs a field `id` that is a string, or its id as the third argument')
  return id
}

function values<Item>(items: readonly QueueItem<Item>[]): Item[] {
  return items.map(({ value }) => value)
}
