import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startProxy } from '@tiercel/core/testing'
import { Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connectSocketIo, type SocketIoConnection, type SocketIoOptions } from '../../src/socket-io/index.js'
import { describeEverywhere, describeOnRedis, soon, type Ground } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const adapters = ['pubsub', 'streams'] as const
const ends: (() => unknown)[] = []

afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()))
})

interface Client {
  readonly socket: Socket
  readonly heard: unknown[]
}

async function client(url: string): Promise<Client> {
  const socket = connect(url, { transports: ['websocket'], forceNew: true, reconnectionDelay: 50 })
  ends.push(() => socket.disconnect())
  const heard: unknown[] = []
  socket.on('message', (data: unknown) => heard.push(data))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return { socket, heard }
}

interface Running {
  readonly io: Server
  readonly url: string
  readonly connection: SocketIoConnection
}

type Options = SocketIoOptions & { readonly recovers?: boolean }

async function start(ground: Ground, { recovers = false, ...options }: Options, of: Parameters<Ground['process']>[0] = {}): Promise<Running> {
  const http: HttpServer = createServer()
  const io = new Server(http, recovers ? { connectionStateRecovery: {} } : {})
  const connection = await connectSocketIo(io, { backend: await ground.process(of), ...options })
  io.on('connection', (socket) => {
    socket.on('join', async (room: string, done: () => void) => {
      await socket.join(room)
      done()
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  ends.push(async () => {
    await io.close()
    await connection.close()
  })
  return { io, connection, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` }
}

/** Until each has heard of the other: a subscription, or a first read, is under way when the call returns. */
async function together(...servers: readonly Running[]): Promise<void> {
  const heard = servers.map((_, i) => servers.map((__, j) => i === j))
  for (const [i, { io }] of servers.entries()) io.on('hello', (from: number) => void (heard[i]?.splice(from, 1, true)))
  await vi.waitUntil(() => {
    for (const [i, { io }] of servers.entries()) io.serverSideEmit('hello', i)
    return heard.flat().every(Boolean)
  }, soon)
}

describe.each(adapters)('Socket.IO by %s', (adapter) => {
  describeEverywhere('on one backend each', (ground) => {
    it('is wired with one call: what one server sends reaches the clients of all, by room, bytes included (B9)', async () => {
      const [one, other] = [await start(ground, { adapter }), await start(ground, { adapter })]
      expect(one.connection.isShared).toBe(ground.hasRedis)
      if (ground.hasRedis) await together(one, other)
      const [a, b] = [await client(one.url), await client(other.url)]
      await Promise.all([a, b].map(({ socket }) => socket.emitWithAck('join', 'lobby')))
      one.io.to('lobby').emit('message', { n: 1 })
      other.io.emit('message', Buffer.from([0, 255]))
      one.io.to('empty').emit('message', 'to nobody')
      const expected = ground.hasRedis ? [[{ n: 1 }, Buffer.from([0, 255])], [{ n: 1 }, Buffer.from([0, 255])]] : [[{ n: 1 }], [Buffer.from([0, 255])]]
      await vi.waitUntil(() => [a, b].every(({ heard }, i) => heard.length >= (expected[i]?.length ?? 0)), soon)
      for (const [i, { heard }] of [a, b].entries()) expect(heard).toHaveLength(expected[i]?.length ?? 0)
      for (const [i, { heard }] of [a, b].entries()) expect(heard).toEqual(expect.arrayContaining(expected[i] ?? []))
      await vi.waitFor(async () => expect(await one.io.fetchSockets()).toHaveLength(ground.hasRedis ? 2 : 1), soon)
    })
  })

  describeOnRedis('and Redis', (ground) => {
    const own = useOwnProcesses()
    const server = `import { Server } from 'socket.io'
      import { createServer } from 'node:http'
      const http = createServer()
      const io = new Server(http)
      const connection = await realtime.connectSocketIo(io, { adapter: process.env.ADAPTER, redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' })
      await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve))
      say('http://127.0.0.1:' + http.address().port)
      for (;;) {
        const text = await told()
        if (text === 'end') break
        io.emit('message', text)
      }
      realtime.closeOnSignals([io, connection], { timeout: '1m' })
      process.kill(process.pid, 'SIGTERM')`
    const env = () => ({ ADAPTER: adapter, URL: ground.redis.url, PREFIX: ground.prefix })

    it('has processes of their own act as one, until one is killed, and each exits by itself when it is closed (B9)', async () => {
      const [one, other, killed] = [own(server, env()), own(server, env()), own(server, env())]
      const clients = [await client(await one.line()), await client(await other.line())]
      await client(await killed.line())
      await vi.waitUntil(() => {
        for (const each of [one, other, killed]) each.tell('together')
        return clients.every(({ heard }) => heard.length > 6)
      }, { ...soon, interval: 50 })
      killed.signal('SIGKILL')
      await killed.ended
      one.tell('from one')
      other.tell('from other')
      await vi.waitUntil(() => clients.every(({ heard }) => heard.includes('from one') && heard.includes('from other')), soon)
      for (const { heard } of clients) expect(heard.filter((text) => text !== 'together')).toHaveLength(2)
      one.tell('end')
      other.tell('end')
      expect([await one.ended, await other.ended]).toEqual([0, 0])
    })

    it('serves its own clients while Redis is away, and all of them when it is back (B9)', async () => {
      const [one, other] = [await start(ground, { adapter }), await start(ground, { adapter })]
      await together(one, other)
      const [a, b] = [await client(one.url), await client(other.url)]
      await ground.redis.kill()
      one.io.emit('message', 'alone')
      await vi.waitUntil(() => a.heard.includes('alone'), soon)
      expect(await one.io.fetchSockets()).toHaveLength(1)
      expect(b.heard).toEqual([])
      await ground.redis.start()
      await vi.waitUntil(() => {
        one.io.emit('message', 'together')
        return b.heard.includes('together')
      }, { ...soon, interval: 50 })
      await together(one, other)
      await vi.waitFor(async () => expect(await one.io.fetchSockets()).toHaveLength(2), soon)
      expect(b.heard).not.toContain('alone')
    })

    it('holds nobody up longer than the deadline while Redis is paused', async () => {
      const [one, other] = [await start(ground, { adapter }, { deadline: '150ms' }), await start(ground, { adapter })]
      await together(one, other)
      const [a, b] = [await client(one.url), await client(other.url)]
      ground.redis.pause()
      one.io.emit('message', 'alone')
      await vi.waitUntil(() => a.heard.includes('alone'), soon)
      ground.redis.resume()
      await vi.waitUntil(() => {
        one.io.emit('message', 'together')
        return b.heard.includes('together')
      }, { ...soon, interval: 50 })
      expect(a.heard.filter((text) => text === 'alone')).toHaveLength(1)
    })

    it('serves its own clients when Redis is full', async () => {
      const [one, other] = [await start(ground, { adapter }), await start(ground, { adapter })]
      await together(one, other)
      const a = await client(one.url)
      await ground.redis.fillUp()
      one.io.emit('message', 'full')
      await vi.waitUntil(() => a.heard.length > 0, soon)
      expect(a.heard).toEqual(['full'])
      await ground.redis.drain()
    })
  })
})

describeOnRedis('Socket.IO by streams', (ground) => {
  it('has a server that was cut off from Redis send its clients what they missed, in order and once', async () => {
    const proxy = await startProxy(ground.redis)
    ends.push(() => proxy.stop())
    const [one, cut] = [await start(ground, { adapter: 'streams' }), await start(ground, { adapter: 'streams' }, { redis: ground.target(proxy.url) })]
    await together(one, cut)
    const b = await client(cut.url)
    const sent = Array.from({ length: 30 }, (_, n) => n)
    proxy.refuse()
    proxy.reset()
    for (const n of sent) one.io.emit('message', n)
    const length = () => ground.cli('XLEN', `${ground.prefix}socket.io`)
    await vi.waitUntil(async () => Number(await length()) >= 30, soon)
    expect(b.heard).toEqual([])
    await proxy.heal()
    await vi.waitUntil(() => b.heard.length >= 30, soon)
    expect(b.heard).toEqual(sent)
  })

  it('gives a client that comes back to another server its rooms, and what was sent meanwhile', async () => {
    const [one, other] = [await start(ground, { adapter: 'streams', recovers: true }), await start(ground, { adapter: 'streams', recovers: true })]
    await together(one, other)
    const a = await client(one.url)
    await a.socket.emitWithAck('join', 'lobby')
    other.io.to('lobby').emit('message', 1)
    await vi.waitUntil(() => a.heard.length === 1, soon)
    // It comes back when it is told to, and not before all that it finds then is there.
    a.socket.io.reconnection(false)
    a.socket.io.engine.close()
    await vi.waitUntil(async () => (await ground.cli('KEYS', `${ground.prefix}socket.io-session:*`) as unknown[]).length === 1, soon)
    other.io.to('lobby').emit('message', 2)
    await vi.waitUntil(async () => /message\W+2\b/.test(JSON.stringify(await ground.cli('XRANGE', `${ground.prefix}socket.io`, '-', '+'))), soon)
    await vi.waitUntil(() => !a.socket.connected, soon)
    ;(a.socket.io as unknown as { uri: string }).uri = other.url
    a.socket.connect()
    await vi.waitUntil(() => a.socket.connected && a.heard.length === 2, soon)
    expect(a.socket.recovered).toBe(true)
    expect(other.io.sockets.sockets.has(a.socket.id ?? '')).toBe(true)
    one.io.to('lobby').emit('message', 3)
    await vi.waitUntil(() => a.heard.length === 3, soon)
    expect(a.heard).toEqual([1, 2, 3])
  })
})

describeOnRedis('Socket.IO', (ground) => {
  it.each(adapters)('says at once when its user may not hear its channels: by %s', async (adapter) => {
    await ground.redis.cli('ACL', 'SETUSER', 'deaf', 'on', '>password', '~*', 'resetchannels', '+@all')
    const redis = ground.target(ground.redis.url.replace('redis://', 'redis://deaf:password@'))
    const io = new Server()
    await expect(connectSocketIo(io, { redis, adapter, deadline: '30s' })).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED', reply: 'permission' })
  })
})

it('an adapter of Socket.IO that does not exist is refused', async () => {
  await expect(connectSocketIo(new Server(), { redis: false, adapter: 'other' as 'streams' })).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
})

it.each([['pubsub', '@socket.io/redis-adapter'], ['streams', '@socket.io/redis-streams-adapter']] as const)('an adapter of Socket.IO that is not installed is named: by %s', async (adapter, name) => {
  vi.doMock(name, () => {
    throw new Error('not there')
  })
  await expect(connectSocketIo(new Server(), { redis: 'redis://127.0.0.1:1', adapter })).rejects.toMatchObject({ code: 'TIERCEL_MISSING_PEER', message: expect.stringContaining(`npm install ${name}`) as string })
  vi.doUnmock(name)
})
