import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startProxy, startRedis, type FaultProxy, type RedisServer } from '../../src/testing/index.js'
import { describeWithRedis } from '../redis/server/index.js'
import { rawClients, type RawClient } from './raw-clients.js'

const soon = { timeout: 30_000, interval: 5 }
const LONG = 'x'.repeat(1_000_000)

/** Whether a promise is still pending once something else, sent later, has had its answer. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false
  const settled = () => {
    isSettled = true
  }
  promise.then(settled, settled)
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  return !isSettled
}

describeWithRedis('a fault proxy in front of Redis', () => {
  let server: RedisServer
  let proxy: FaultProxy
  const opened: RawClient[] = []

  beforeAll(async () => {
    server = await startRedis()
  })
  beforeEach(async () => {
    proxy = await startProxy(server)
    await server.cli('FLUSHALL')
  })
  afterEach(async () => {
    for (const client of opened.splice(0)) client.close()
    await proxy.stop()
  })
  afterAll(() => server.stop())

  describe.each(rawClients)('as $name sees it', ({ connect: connectClient }) => {
    async function open(url = proxy.url): Promise<RawClient> {
      const client = await connectClient(url)
      opened.push(client)
      return client
    }

    it('lets everything through as long as nothing is wrong', async () => {
      const client = await open()
      const replies = await Promise.all(Array.from({ length: 500 }, (_, i) => client.send('ECHO', `number ${i}`)))
      expect(replies.map(String)).toEqual(Array.from({ length: 500 }, (_, i) => `number ${i}`))
      await client.send('SET', 'long', LONG)
      expect(String(await client.send('GET', 'long'))).toBe(LONG)
      expect(proxy.counts).toMatchObject({ accepted: 1, broken: 0, dropped: 0 })
      expect(proxy.counts.down.bytes).toBeGreaterThan(LONG.length)
    })

    it('refuses new connections and leaves the open ones alone', async () => {
      const client = await open()
      proxy.refuse()
      await expect(open()).rejects.toThrow(/ECONNREFUSED|closed/i)
      expect(await client.send('PING')).toBe('PONG')
      await proxy.heal()
      expect(await (await open()).send('PING')).toBe('PONG')
    })

    it('resets connections, and welcomes new ones', async () => {
      const client = await open()
      proxy.blackhole('down')
      const incremented = client.send('INCR', 'n')
      await expect.poll(() => server.cli('GET', 'n'), soon).toBe('1')
      proxy.reset()
      await expect(incremented).rejects.toThrow(/./)
      await client.lost
      await proxy.heal()
      expect(Number(await (await open()).send('INCR', 'n'))).toBe(2)
      expect(proxy.counts.broken).toBe(1)
    })

    it('swallows what is sent: it is never executed, and nobody is told', async () => {
      const client = await open()
      proxy.blackhole('up')
      const before = proxy.counts.up.bytes
      const set = client.send('SET', 'k', 'v')
      set.catch(() => {})
      await expect.poll(() => proxy.counts.up.bytes, soon).toBeGreaterThan(before)
      await proxy.heal()
      // A half-open connection does not recover: the next command is lost as well.
      const next = client.send('SET', 'l', 'v')
      next.catch(() => {})
      expect(await (await open()).send('PING')).toBe('PONG')
      expect(await isPending(Promise.race([set, next]))).toBe(true)
      expect(await server.cli('EXISTS', 'k', 'l')).toBe(0)
    })

    it('swallows replies: the command is executed, and nobody is told', async () => {
      const client = await open()
      proxy.blackhole('down')
      const set = client.send('SET', 'k', 'v')
      set.catch(() => {})
      await expect.poll(() => server.cli('GET', 'k'), soon).toBe('v')
      await expect.poll(() => proxy.counts.down.chunks, soon).toBeGreaterThan(0)
      expect(await isPending(set)).toBe(true)
    })

    it('holds everything back while it is paused, and then lets it all pass in order', async () => {
      const client = await open()
      proxy.pause()
      const before = proxy.counts.up.chunks
      const echoes = ['a', 'b', 'c'].map((text) => client.send('ECHO', text))
      await expect.poll(() => proxy.counts.up.chunks, soon).toBeGreaterThan(before)
      expect(await isPending(Promise.race(echoes))).toBe(true)
      proxy.resume()
      expect((await Promise.all(echoes)).map(String)).toEqual(['a', 'b', 'c'])
    })

    it('takes longer in each direction, at random if it is told so, and nothing overtakes', async () => {
      const client = await open()
      const start = performance.now()
      proxy.delay(30)
      await client.send('PING')
      expect(performance.now() - start).toBeGreaterThanOrEqual(59)
      proxy.delay(0, { jitterMs: 15 })
      const order: number[] = []
      const echoes = Array.from({ length: 40 }, async (_, i) => {
        for (let turn = 0; turn < i; turn++) await new Promise((resolve) => setImmediate(resolve))
        return client.send('ECHO', `${i}`).then((reply) => order.push(Number(String(reply))))
      })
      await Promise.all(echoes)
      expect(order).toEqual(order.toSorted((a, b) => a - b))
    })

    it('lets only so many bytes pass in a second', async () => {
      const client = await open()
      const value = 'x'.repeat(100_000)
      await client.send('SET', 'k', value)
      proxy.throttle(400_000, 'down')
      const start = performance.now()
      expect(String(await client.send('GET', 'k'))).toBe(value)
      expect(performance.now() - start).toBeGreaterThan(200)
    })

    it('drops the reply of a command that was executed, and breaks the connection there', async () => {
      const client = await open()
      proxy.dropReply()
      await expect(client.send('INCR', 'n')).rejects.toThrow(/./)
      await client.lost
      expect(await server.cli('GET', 'n')).toBe('1')
      expect(proxy.counts).toMatchObject({ dropped: 1, broken: 1 })
      expect(await (await open()).send('PING')).toBe('PONG')
    })

    it('drops the third reply from now, and lets those before arrive', async () => {
      const client = await open()
      proxy.dropReply({ nth: 3 })
      const [first, second, third] = await Promise.allSettled([client.send('INCR', 'n'), client.send('INCR', 'n'), client.send('INCR', 'n')])
      expect([first, second]).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }])
      expect(third?.status).toBe('rejected')
      expect(await server.cli('GET', 'n')).toBe('3')
    })

    it('drops a reply, and then there is silence', async () => {
      const client = await open()
      proxy.dropReply({ nth: 2, after: 'silence' })
      expect(Number(await client.send('INCR', 'n'))).toBe(1)
      const lost = [client.send('INCR', 'n'), client.send('INCR', 'n')]
      for (const each of lost) each.catch(() => {})
      await expect.poll(() => server.cli('GET', 'n'), soon).toBe('3')
      expect(await (await open()).send('PING')).toBe('PONG')
      expect(await isPending(Promise.race(lost))).toBe(true)
      expect(proxy.counts).toMatchObject({ dropped: 1, broken: 0 })
    })

    it('drops a whole reply, however long, and the next one is taken for it', async () => {
      await server.cli('SET', 'long', LONG)
      const client = await open()
      proxy.dropReply({ after: 'continue' })
      const [first, second] = [client.send('GET', 'long'), client.send('ECHO', 'for the second')]
      second.catch(() => {})
      expect(String(await first)).toBe('for the second')
      expect(await isPending(second)).toBe(true)
    })

    it('breaks a connection in the middle of a reply', async () => {
      await server.cli('SET', 'long', LONG)
      const client = await open()
      proxy.cut(500_000)
      await expect(client.send('GET', 'long')).rejects.toThrow(/./)
      await client.lost
      expect(String(await (await open()).send('GET', 'long'))).toBe(LONG)
    })

    it('does to one connection what others do not suffer', async () => {
      const [one, other] = [await open(), await open()]
      const address = /addr=(\S+)/.exec(String(await one.send('CLIENT', 'INFO')))?.[1]
      const connection = proxy.connections.find(({ addressAtServer }) => addressAtServer === address)
      connection?.blackhole('down')
      const lost = one.send('INCR', 'n')
      lost.catch(() => {})
      expect(await other.send('PING')).toBe('PONG')
      await expect.poll(() => server.cli('GET', 'n'), soon).toBe('1')
      expect(await isPending(lost)).toBe(true)
      connection?.reset()
      await one.lost
      expect(await other.send('PING')).toBe('PONG')
      expect(connection).toMatchObject({ isOpen: false, counts: { accepted: 1, broken: 1 } })
    })

    it('leads new connections to another server when it is told so', async () => {
      const other = await startRedis()
      try {
        const client = await open()
        proxy.redirect(other)
        await (await open()).send('SET', 'where', 'other')
        await client.send('SET', 'where', 'first')
        expect([await server.cli('GET', 'where'), await other.cli('GET', 'where')]).toEqual(['first', 'other'])
      } finally {
        await other.stop()
      }
    })
  })

  it('lets exactly so many bytes pass before it cuts, in either direction', async () => {
    for (const [direction, passed] of [['down', '+PO'], ['up', '']] as const) {
      const socket = connect(proxy.port, '127.0.0.1')
      let received = ''
      socket.on('data', (chunk) => {
        received += String(chunk)
      })
      await once(socket, 'connect')
      proxy.cut(3, direction)
      socket.write('PING\r\n')
      // Node takes a reset that comes right behind data for an end.
      socket.on('error', () => {})
      await once(socket, 'close').catch(() => {})
      expect(received).toBe(passed)
    }
  })

  it('drops replies and no pushes', async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
    const write = async (text: string, answer: string) => {
      socket.write(text)
      await expect.poll(() => received, soon).toContain(answer)
    }
    await write('HELLO 3\r\n', 'modules')
    await write('SUBSCRIBE news\r\n', '>3\r\n$9\r\nsubscribe')
    proxy.dropReply({ after: 'continue' })
    await server.cli('PUBLISH', 'news', 'pushed')
    await write('ECHO dropped\r\nECHO second\r\n', 'second')
    expect(received).toContain('pushed')
    expect(received).not.toContain('dropped')
    socket.destroy()
  })

  it('tells neither side that the other has gone, as long as it swallows what would tell', async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    socket.write('CLIENT SETNAME ghost\r\n')
    await once(socket, 'data')
    proxy.blackhole()
    socket.resetAndDestroy()
    await expect.poll(() => server.cli('CLIENT', 'LIST'), soon).toContain('name=ghost')
    const again = connect(proxy.port, '127.0.0.1')
    await once(again, 'connect')
    expect(await server.cli('CLIENT', 'LIST')).toContain('name=ghost')
    again.destroy()
    await expect.poll(() => proxy.counts.accepted, soon).toBe(2)
    await proxy.heal()
    await expect.poll(() => proxy.connections.length, soon).toBe(0)
    await expect.poll(() => server.cli('CLIENT', 'LIST'), soon).not.toContain('name=ghost')
  })

  it('keeps the end of a stream behind its data', async () => {
    const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true })
    let received = ''
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
    proxy.delay(20)
    socket.end('ECHO last\r\nQUIT\r\n')
    await once(socket, 'end')
    expect(received).toBe('$4\r\nlast\r\n+OK\r\n')
  })

  it('keeps no more than 16 MiB of what it holds back, and loses none of it', async () => {
    const socket = connect(proxy.port, '127.0.0.1')
    let received = 0
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    proxy.pause('up')
    const size = 64 * 2 ** 20
    socket.write(`*3\r\n$3\r\nSET\r\n$4\r\nlong\r\n$${size}\r\n`)
    socket.write(Buffer.alloc(size, 'x'))
    socket.write('\r\n')
    let last = -1
    await expect.poll(() => {
      const before = last
      last = proxy.counts.up.bytes
      return last === before && last > 16 * 2 ** 20
    }, soon).toBe(true)
    expect(proxy.counts.up.bytes).toBeLessThan(32 * 2 ** 20)
    proxy.resume()
    await expect.poll(() => received, soon).toBeGreaterThan(0)
    await expect.poll(() => server.cli('STRLEN', 'long'), soon).toBe(size)
    socket.destroy()
  })

  it('refuses what would be no fault', () => {
    expect(() => proxy.delay(-1)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => proxy.throttle(0)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => proxy.dropReply({ nth: 0 })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    expect(() => proxy.cut(0.5)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    for (const target of ['localhost', 'http://localhost', 70_000, NaN, { port: 1.5 }]) {
      expect(() => proxy.redirect(target)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    }
  })

  it('says so when its port was taken while it refused, and listens once it is free', async () => {
    proxy.refuse()
    const other = createServer().listen(proxy.port, '127.0.0.1')
    await once(other, 'listening')
    await expect(proxy.heal()).rejects.toMatchObject({ code: 'TIERCEL_TEST_SERVER' })
    await once(other.close(), 'close')
    await proxy.heal()
    const socket = connect(proxy.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.destroy()
  })
})
