import { PresenceService, type Backend, type PubSub } from '@tiercel/realtime'
import { Router } from 'express'
import { randomUUID } from 'node:crypto'
import type { WebSocket } from 'ws'
import { readMessage } from './web-sockets.js'

const CHANNEL = 'room:'

/** A chat over WebSockets. Who is in a room, and what is said there, is the same whichever process a visitor came to. */
export class Chat {
  readonly routes: Router = Router()
  readonly presence: PresenceService
  readonly #pubSub: PubSub
  /** Those of this process. */
  readonly #rooms = new Map<string, Set<WebSocket>>()

  private constructor(presence: PresenceService, pubSub: PubSub) {
    this.presence = presence
    this.#pubSub = pubSub
    this.routes.get('/:room', async ({ params }, response) => {
      const socketsHere = this.#rooms.get(params.room)?.size ?? 0
      response.json({ online: await presence.getOnlineUsers(params.room), socketsHere })
    })
  }

  static async open(backend: Backend): Promise<Chat> {
    const { pubSub } = backend
    const presence = new PresenceService({ backend, ttl: '1m' })
    const chat = new Chat(presence, pubSub)
    await presence.onChange(({ type, userId, room }) => room !== undefined && chat.#tell(room, { type, user: userId }))
    await pubSub.subscribePattern<object>(`${CHANNEL}*`, (message, channel) => chat.#tell(channel.slice(CHANNEL.length), message))
    return chat
  }

  /** A socket says `{ "join": "<room>", "user": "<name>" }`, and then `{ "say": "<text>" }`. */
  readonly welcome = (socket: WebSocket): void => {
    const id = randomUUID()
    let visit: { readonly room: string; readonly user: string } | undefined
    socket.on('message', (data) => {
      const { join, user, say } = readMessage(data)
      if (typeof say === 'string' && visit) void this.#pubSub.publish(CHANNEL + visit.room, { type: 'said', user: visit.user, text: say })
      if (typeof join !== 'string' || typeof user !== 'string' || visit) return
      visit = { room: join, user }
      this.#rooms.set(join, (this.#rooms.get(join) ?? new Set()).add(socket))
      this.presence.setOnline(user, id, join).then(
        () => socket.send(JSON.stringify({ type: 'welcome' })),
        () => socket.close(),
      )
    })
    socket.on('close', () => {
      if (!visit) return
      const sockets = this.#rooms.get(visit.room)
      sockets?.delete(socket)
      if (sockets?.size === 0) this.#rooms.delete(visit.room)
      // Closed already: then all sockets of this process have gone.
      this.presence.setOffline(visit.user, id).catch(() => {})
    })
  }

  #tell(room: string, message: object): void {
    const text = JSON.stringify(message)
    for (const socket of this.#rooms.get(room) ?? []) socket.send(text)
  }
}
