import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { afterEach, expect, it, vi } from 'vitest'
import { connectSocketIo, type SocketIoConnection } from '../../src/socket-io/index.js'
import { describeEverywhere, describeOnRedis, soon, type Ground } from '../ground/ground.js'

const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Running {
  readonly io: Server
  readonly connection: SocketIoConnection
  /** A client that is connected to it, and what it was sent. */
  client(): Promise<{ readonly socket: Socket; readonly heard: unknown[] }>
}

async function start(ground: Ground): Promise<Running> {
  const http: HttpServer = createServer()
  const io = new Server(http)
  const connection = await connectSocketIo(io, { backend: await ground.process() })
  io.on('connection', (socket) => {
    socket.on('join', async (room: string, done: () => void) => {
      await socket.join(room)
      done()
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  ends.push(async () => {
    await io.close()
    await connection.close()
  })
  return {
    io,
    connection,
    client: async () => {
      const socket = connect(url, { transports: ['websocket'], forceNew: true })
      ends.push(() => socket.disconnect())
      const heard: unknown[] = []
      socket.on('message', (data: unknown) => heard.push(data))
      await new Promise<void>((resolve) => socket.once('connect', resolve))
      return { socket, heard }
    },
  }
}

describeEverywhere('Socket.IO', (ground) => {
  it('is wired with one call: what one server sends reaches the clients of all, by room, bytes included (B9)', async () => {
    const [one, other] = [await start(ground), await start(ground)]
    expect(one.connection.isShared).toBe(ground.hasRedis)
    const [a, b] = [await one.client(), await other.client()]
    await Promise.all([a, b].map(({ socket }) => socket.emitWithAck('join', 'lobby')))
    if (ground.hasRedis) await vi.waitUntil(async () => (await one.io.fetchSockets()).length === 2, soon)
    one.io.to('lobby').emit('message', { n: 1 })
    other.io.emit('message', Buffer.from([0, 255]))
    const expected = ground.hasRedis ? [[{ n: 1 }, Buffer.from([0, 255])], [{ n: 1 }, Buffer.from([0, 255])]] : [[{ n: 1 }], [Buffer.from([0, 255])]]
    await vi.waitUntil(() => [a, b].every(({ heard }, i) => heard.length >= (expected[i]?.length ?? 0)), soon)
    for (const [i, { heard }] of [a, b].entries()) expect(heard).toHaveLength(expected[i]?.length ?? 0)
    for (const [i, { heard }] of [a, b].entries()) expect(heard).toEqual(expect.arrayContaining(expected[i] ?? []))
    expect(await one.io.fetchSockets()).toHaveLength(ground.hasRedis ? 2 : 1)
  })
})

describeOnRedis('Socket.IO and Redis', (ground) => {
  it('serves its own clients while Redis is away, and all of them when it is back (B9)', async () => {
    const [one, other] = [await start(ground), await start(ground)]
    const [a, b] = [await one.client(), await other.client()]
    await ground.redis.kill()
    one.io.emit('message', 'alone')
    await vi.waitUntil(() => a.heard.includes('alone'), soon)
    expect(await one.io.fetchSockets()).toHaveLength(1)
    expect(b.heard).toEqual([])
    await ground.redis.start()
    await vi.waitUntil(() => {
      one.io.emit('message', 'together')
      return b.heard.includes('together')
    }, { timeout: 10_000, interval: 50 })
    expect(await one.io.fetchSockets()).toHaveLength(2)
  })
})
