import type { AnyStorageModel, Storage, StorageModel } from './interface.js'

/** What is needed of a WebSocket, such as one of `ws`. */
export interface EventSocket {
  send(text: string): void
  close(code?: number, reason?: string): void
  /** What was sent and has not left yet, in bytes. */
  readonly bufferedAmount?: number
  readonly readyState?: number
}

const OPEN = 1
/** A client that lets more than this wait for it is too slow for what it asked for, and would fill the memory. */
const MOST_BUFFERED_BYTES = 4 * 1024 * 1024
/** "Try again later", RFC 6455's registry of close codes. */
const TRY_AGAIN_LATER = 1013

/** WebSockets by the sessions they follow. */
export class EventSockets {
  readonly #bySession = new Map<string, Set<EventSocket>>()
  readonly #end: () => void

  constructor(end: () => void) {
    this.#end = end
  }

  /** From now on the socket is sent each event of the session, wherever it is added, as `{ type: 'event', sessionId, payload }`. */
  add(sessionId: string, socket: EventSocket): void {
    const sockets = this.#bySession.get(sessionId) ?? new Set()
    this.#bySession.set(sessionId, sockets.add(socket))
  }

  /** No more of that session, or of any: to be called when it is closed. */
  remove(socket: EventSocket, sessionId?: string): void {
    for (const id of sessionId === undefined ? this.#bySession.keys() : [sessionId]) {
      const sockets = this.#bySession.get(id)
      sockets?.delete(socket)
      if (sockets?.size === 0) this.#bySession.delete(id)
    }
  }

  send(sessionId: string, payload: unknown): void {
    const sockets = this.#bySession.get(sessionId)
    if (sockets === undefined) return
    const text = JSON.stringify({ type: 'event', sessionId, payload })
    for (const socket of sockets) {
      if ((socket.readyState ?? OPEN) !== OPEN) continue
      if ((socket.bufferedAmount ?? 0) > MOST_BUFFERED_BYTES) {
        this.remove(socket)
        socket.close(TRY_AGAIN_LATER, 'too slow')
      } else {
        socket.send(text)
      }
    }
  }

  /** Sends no more. The sockets stay open. */
  close(): void {
    this.#end()
    this.#bySession.clear()
  }
}

/**
 * Sends what any process adds to a session to the WebSockets of this process that follow it.
 *
 * @example
 * const sockets = await createEventSockets(storage)
 * server.on('connection', (socket) => {
 *   socket.on('message', (data) => sockets.add(JSON.parse(data).sessionId, socket))
 *   socket.on('close', () => sockets.remove(socket))
 * })
 */
export async function createEventSockets<M extends StorageModel = AnyStorageModel>(storage: Storage<M>): Promise<EventSockets> {
  const sockets: EventSockets = new EventSockets(() => end())
  const end = await storage.onEvent(({ sessionId, event }) => sockets.send(sessionId, event))
  return sockets
}
