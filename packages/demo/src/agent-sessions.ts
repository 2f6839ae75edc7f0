import type { EventSockets, Storage } from '@tiercel/realtime'
import express, { Router } from 'express'
import type { WebSocket } from 'ws'
import { readMessage } from './web-sockets.js'

/** Sessions of agents, what happens in them and what they are told to do, as routes over a storage. They do not know how many processes there are. */
export function sessionRoutes(storage: Storage): Router {
  const router = Router()
  router.use(express.json())

  router.put('/:id', async ({ params, body }, response) => {
    await storage.setSession(params.id, body as Record<string, unknown>)
    response.json({ stored: true })
  })

  router.get('/:id', async ({ params }, response) => {
    const session = await storage.getSession(params.id)
    if (session === undefined) return void response.status(404).json({ error: 'There is no such session' })
    response.json({ session, events: await storage.getEvents(params.id) })
  })

  router.post('/:id/events', async ({ params, body }, response) => {
    await storage.addEvent(params.id, body)
    response.json({ added: true })
  })

  // Who does not know whether it arrived sends it again, under the same name.
  router.put('/:id/commands/:name', async ({ params, body }, response) => {
    response.json({ added: (await storage.addCommand(params.id, body, { idempotencyKey: params.name })) !== undefined })
  })

  router.post('/:id/commands/take', async ({ params }, response) => {
    response.json(await storage.takeCommands(params.id))
  })

  return router
}

/** A WebSocket that says `{ "follow": "<session>" }` is sent what happens in it, through whichever process it is added. */
export function followSessions(feed: EventSockets): (socket: WebSocket) => void {
  return (socket) => {
    socket.on('message', (data) => {
      const { follow } = readMessage(data)
      if (typeof follow !== 'string') return
      feed.add(follow, socket)
      socket.send(JSON.stringify({ type: 'following', sessionId: follow }))
    })
    socket.on('close', () => feed.remove(socket))
  }
}
