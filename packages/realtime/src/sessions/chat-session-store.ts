import type { ConnectionStatus, Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import type { Backend } from '../backend/backend.js'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { fromJson, toJson } from '../backend/json.js'
import { lazily } from '../backend/lazily.js'
import { decodeId, encodeId, wholeNumber } from '../backend/names.js'
import { texts } from '../keyspace/reply.js'
import { IdIndex } from './id-index.js'
import { LiveSessions } from './live-sessions.js'
import { appendOperation } from './record-operations.js'
import { SessionRecords } from './session-records.js'
import type { Session, SessionData } from './session.js'
import { SocketMap } from './socket-map.js'

export interface ChatSessionStoreOptions {
  /** How long a session and its messages live after the last change or message. Default `'24h'`. */
  readonly ttl?: Duration
  /** So many messages of a session are kept: the last ones. Default 1000. */
  readonly maxMessages?: number
  /** How long it is known at which socket somebody is, and that an agent is available. Default `'1h'`: map again from time to time. */
  readonly socketTtl?: Duration
}

export interface ChatSessionStats {
  readonly activeSessions: number
  readonly availableAgents: number
  readonly connection: ConnectionStatus
}

/**
 * Sessions of a chat, with their messages, and who is at which socket. In Redis when one is configured, else in the memory of this process. While a configured Redis
 * is away its calls reject with `TIERCEL_REDIS_UNAVAILABLE`: a message that only one process has would be lost.
 */
export class ChatSessionStore<Data extends object = SessionData, Message = unknown> {
  readonly #backend: Backend
  readonly #chosen: ChosenBackend
  readonly #records: SessionRecords
  readonly #sessions: LiveSessions<Data, never>
  readonly #maxMessages: number
  readonly #users: SocketMap
  readonly #agents: SocketMap
  readonly #available: IdIndex
  readonly #socketMs: number

  constructor({ ttl = '24h', maxMessages = 1000, socketTtl = '1h', ...choice }: ChatSessionStoreOptions & BackendChoice = {}) {
    const ttlMs = toMs(ttl, 'ttl')
    this.#socketMs = toMs(socketTtl, 'socketTtl')
    this.#maxMessages = wholeNumber(maxMessages, 'maxMessages', 1, 1_000_000)
    this.#chosen = chooseBackend(choice)
    this.#backend = this.#chosen.backend
    const { keyspace, prefix } = this.#backend
    this.#records = new SessionRecords(keyspace, { prefix, kind: 'chat', ttlMs, rememberGoneMs: 0, companions: ['messages'] })
    this.#sessions = new LiveSessions(this.#records)
    this.#users = new SocketMap(keyspace, `${prefix}chat-user`, this.#socketMs)
    this.#agents = new SocketMap(keyspace, `${prefix}chat-agent`, this.#socketMs)
    this.#available = new IdIndex(keyspace, `${prefix}index:chat-agents`)
  }

  /** A new session; one of that id that is there is replaced, and its messages go. */
  createSession(id: string, data: Data): Promise<Session<Data, never>> {
    return this.#sessions.createSession(id, data)
  }

  getSession(id: string): Promise<Session<Data, never> | undefined> {
    return this.#sessions.getSession(id)
  }

  /** Changes the fields that are named and no others; `undefined` removes one. Gives what it is then, or `undefined` when there is no such session. */
  updateSession(id: string, changes: { readonly [Name in keyof Data]?: Data[Name] | undefined }): Promise<Session<Data, never> | undefined> {
    return this.#sessions.updateSession(id, changes)
  }

  /** With its messages. Gives whether there was one. */
  deleteSession(id: string): Promise<boolean> {
    return this.#sessions.deleteSession(id)
  }

  /** Those whose time is not over; those that expire first come first. Default: at most 1000. */
  getAllActiveSessions(limit = 1000): Promise<Session<Data, never>[]> {
    return this.#sessions.getSessions(limit)
  }

  /** Appends it, and gives the session its time anew. However many processes append at once, none is lost. Gives whether there is such a session. */
  async addMessageToSession(id: string, message: Message): Promise<boolean> {
    const { settings, index } = this.#records
    const keys = [this.#records.key(id), this.#records.companion(id, 'messages')]
    const json = toJson(message, 'message')
    const [length] = await Promise.all([this.#backend.keyspace.run(appendOperation, keys, [json, this.#maxMessages, settings.ttlMs]), index.add(encodeId(id, 'session id'), settings.ttlMs)])
    if (length === 0) await index.remove(encodeId(id, 'session id'))
    return length !== 0
  }

  /** The last of them, oldest first. */
  async getSessionMessages(id: string, limit = 50): Promise<Message[]> {
    const from = -wholeNumber(limit, 'limit', 1, 1_000_000)
    const reply = await this.#backend.keyspace.send(['LRANGE', this.#records.companion(id, 'messages'), from, -1])
    return texts(reply).map((json) => fromJson(json) as Message)
  }

  async mapUserToSocket(userId: string, socketId: string): Promise<void> {
    await this.#users.set(userId, socketId)
  }

  async getUserSocket(userId: string): Promise<string | undefined> {
    return await this.#users.get(userId)
  }

  /** With `socketId` only if that is still the user's. */
  async unmapUser(userId: string, socketId?: string): Promise<boolean> {
    return await this.#users.remove(userId, socketId)
  }

  /** The agent is available from now on. */
  async mapAgentToSocket(agentId: string, socketId: string): Promise<void> {
    await this.#agents.set(agentId, socketId)
    await this.#available.add(encodeId(agentId, 'agent id'), this.#socketMs)
  }

  async getAgentSocket(agentId: string): Promise<string | undefined> {
    return await this.#agents.get(agentId)
  }

  /** With `socketId` only if that is still the agent's: then the agent is not available any more. */
  async unmapAgent(agentId: string, socketId?: string): Promise<boolean> {
    const isGone = await this.#agents.remove(agentId, socketId)
    if (isGone) await this.#available.remove(encodeId(agentId, 'agent id'))
    return isGone
  }

  /** Whether an agent who is at a socket takes more. Gives whether the agent is at one. */
  async setAgentAvailable(agentId: string, isAvailable: boolean): Promise<boolean> {
    const socket = await this.#agents.get(agentId)
    const id = encodeId(agentId, 'agent id')
    await (isAvailable && socket !== undefined ? this.#available.add(id, this.#socketMs) : this.#available.remove(id))
    return socket !== undefined
  }

  /** Default: at most 1000. */
  async getAvailableAgents(limit = 1000): Promise<string[]> {
    const ids = await this.#available.list(wholeNumber(limit, 'limit', 1, 100_000))
    return ids.map(decodeId)
  }

  /** Sessions and messages go by themselves when their time is over. This forgets their ids at once instead of at the next change, and gives how many there were. */
  async cleanupExpiredSessions(): Promise<number> {
    const { expired } = await this.#records.index.count()
    await this.#available.count()
    return expired
  }

  async getStats(): Promise<ChatSessionStats> {
    const [sessions, agents] = await Promise.all([this.#records.index.count(), this.#available.count()])
    return { activeSessions: sessions.left, availableAgents: agents.left, connection: this.#backend.getConnectionStatus() }
  }

  /** Closes what it opened: nothing, when it was given a backend or uses that of the process. */
  close(): Promise<void> {
    return this.#chosen.close()
  }
}

/** @throws {InvalidOptionError} @throws {InvalidEnvironmentError} */
export function createChatSessionStore<Data extends object = SessionData, Message = unknown>(options: ChatSessionStoreOptions & BackendChoice = {}): ChatSessionStore<Data, Message> {
  return new ChatSessionStore(options)
}

/** The chat sessions of the process, by its environment; opened at the first use. */
export const redisSessionStore: ChatSessionStore = lazily((backend) => new ChatSessionStore({ backend }))
