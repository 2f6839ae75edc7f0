import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { RedisRefusedError, RedisTimeoutError, RedisUnavailableError } from '../../../src/errors/index.js'
import { defineScript, type RedisConnection, type SubscriptionHandlers } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startProxy, startRedis, type FaultProxy, type RedisServer } from '../server/index.js'
import { closeAll, installOnly, open, template, variants } from './variants.js'

const BYTES = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const itself = (error: unknown) => error
const soon = { timeout: 30_000, interval: 5 }

describeWithRedis('A connection to one server', () => {
  let server: RedisServer
  let proxy: FaultProxy
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)

  beforeAll(async () => {
    process.on('unhandledRejection', note)
    server = await startRedis()
    proxy = await startProxy(server.port)
  })
  afterEach(async () => {
    await closeAll()
    server.resume()
    await proxy.heal()
    proxy.reset()
    vi.doUnmock('redis')
    vi.doUnmock('ioredis')
    if (unhandled.length > 0) throw new AggregateError(unhandled.splice(0), 'rejections that nobody handled')
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
    process.off('unhandledRejection', note)
  })

  describe.each(variants)('by $name', ({ packageName, by, target }) => {
    beforeEach(() => installOnly(by === 'URL' ? packageName : undefined))

    const send = (connection: RedisConnection, ...args: (string | Buffer)[]) => connection.send(args, { route: '', timeoutMs: 30_000 })
    const up = async (url = server.url) => {
      const opened = open(target(url))
      await send(opened.connection, 'PING')
      return opened
    }

    it('waits for the first connection, and gives each kind of reply as promised', async () => {
      const { connection } = open(target(server.url))
      expect(connection.isUp).toBe(false)
      expect(await send(connection, 'SET', 'bytes', BYTES)).toBe('OK')
      expect(connection.isUp).toBe(true)
      expect(connection.kind).toBe('standalone')
      expect(await send(connection, 'GET', 'bytes')).toEqual(BYTES)
      expect(await send(connection, 'GET', 'no such key')).toBeNull()
      expect(await send(connection, 'MGET', 'bytes', 'no such key')).toEqual([BYTES, null])
      await send(connection, 'DEL', 'counter')
      expect(await send(connection, 'INCR', 'counter')).toBe(1)
      expect(await send(connection, 'SET', 'bytes', 'new', 'GET')).toEqual(BYTES)
      expect(await send(connection, 'PING')).toBe('PONG')
      await send(connection, 'HSET', 'hash', 'field', BYTES)
      expect(await send(connection, 'HGETALL', 'hash')).toEqual([Buffer.from('field'), BYTES])
      await send(connection, 'SET', Buffer.from([0xff, 0]), 'binary key')
      expect(await send(connection, 'GET', Buffer.from([0xff, 0]))).toEqual(Buffer.from('binary key'))
      expect(await server.cli('EXISTS', 'wrong:bytes', 'bytes')).toBe(1)
    })

    it('runs a script by its hash, and by its source where the server has lost it', async () => {
      const { connection } = await up()
      const script = defineScript("return {KEYS[1], ARGV[1], redis.call('GET', 'no such key'), 7, {}}")
      await server.cli('SCRIPT', 'FLUSH')
      await server.cli('CONFIG', 'RESETSTAT')
      const expected = [Buffer.from('k'), BYTES, null, 7, []]
      expect(await connection.run(script, ['k'], [BYTES], 20_000)).toEqual(expected)
      expect(await connection.run(script, ['k'], [BYTES], 20_000)).toEqual(expected)
      const stats = String(await server.cli('INFO', 'commandstats'))
      expect(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1]).toBe('2')
      expect(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1]).toBe('1')
      await server.cli('SCRIPT', 'FLUSH')
      expect(await connection.run(script, ['k'], [BYTES], 20_000)).toEqual(expected)
    })

    it('sends the commands of one tick together', async () => {
      const { connection } = await up(proxy.url)
      const before = proxy.counts.up.chunks
      const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => send(connection, 'ECHO', `number ${i}`)))
      expect(replies).toEqual(Array.from({ length: 50 }, (_, i) => Buffer.from(`number ${i}`)))
      expect(proxy.counts.up.chunks - before).toBeLessThanOrEqual(2)
    })

    it('settles at the deadline when the server has stopped, and never mistakes a late reply for another', async () => {
      const { connection } = await up()
      server.pause()
      const late = [1, 2, 3].map((i) => connection.send(['ECHO', `late ${i}`], { route: '', timeoutMs: 40 }))
      for (const result of await Promise.allSettled(late)) expect(result).toMatchObject({ status: 'rejected', reason: expect.any(RedisTimeoutError) })
      server.resume()
      expect(await send(connection, 'ECHO', 'in time')).toEqual(Buffer.from('in time'))
    })

    it('is cut off by a black hole until it is recycled', async () => {
      const { connection } = await up(proxy.url)
      proxy.blackhole('down')
      const lost = connection.send(['INCR', 'lost'], { route: '', timeoutMs: 60_000 })
      await expect(connection.send(['PING'], { route: '', timeoutMs: 30 })).rejects.toBeInstanceOf(RedisTimeoutError)
      const failed = lost.catch(itself)
      connection.recycle()
      expect(await failed).toBeInstanceOf(RedisUnavailableError)
      expect(connection.isUp).toBe(false)
      await proxy.heal()
      await expect.poll(() => connection.isUp, soon).toBe(true)
      expect(await send(connection, 'ECHO', 'again')).toEqual(Buffer.from('again'))
    })

    it('never sends a command again whose reply was lost', async () => {
      await server.cli('DEL', 'once')
      const { connection } = await up(proxy.url)
      proxy.blackhole('down')
      const incremented = send(connection, 'INCR', 'once').catch(itself)
      await expect.poll(() => server.cli('GET', 'once'), soon).toBe('1')
      proxy.reset()
      expect(await incremented).toBeInstanceOf(RedisUnavailableError)
      await proxy.heal()
      await expect.poll(() => connection.isUp, soon).toBe(true)
      await send(connection, 'PING')
      expect(await server.cli('GET', 'once')).toBe('1')
    })

    it('fails at once while Redis is down, tells once, and comes back by itself', async () => {
      const { connection, errors } = await up(proxy.url)
      proxy.refuse()
      proxy.reset()
      await expect.poll(() => connection.isUp, soon).toBe(false)
      const refused = connection.send(['PING'], { route: '', timeoutMs: 10_000 }).catch(itself)
      const nextTurn = new Promise((resolve) => setImmediate(() => resolve('still waiting')))
      expect(await Promise.race([refused, nextTurn])).toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
      await expect.poll(() => errors.length, soon).toBeGreaterThan(1)
      await proxy.heal()
      await expect.poll(() => connection.isUp, soon).toBe(true)
      expect(await send(connection, 'PING')).toBe('PONG')
      expect(new Set(errors.map(({ message }) => message)).size).toBe(errors.length)
    })

    it('reports a wrong password as that, at start', async () => {
      await server.cli('ACL', 'SETUSER', 'someone', 'on', '>right', '+@all', '~*')
      const { connection, errors } = open(target(`redis://someone:wrong@127.0.0.1:${server.port}`))
      await expect(send(connection, 'PING')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED', reply: 'auth' })
      await expect(send(connection, 'GET', 'bytes')).rejects.toMatchObject({ reply: 'auth' })
      expect(errors[0]).toMatchObject({ reply: 'auth' })
      expect(connection.isUp).toBe(false)
    })

    it('subscribes, and after a reconnection only says so once the server has acknowledged', async () => {
      const { connection } = await up(proxy.url)
      const listeners: unknown[] = []
      const messages: Buffer[] = []
      let asked: Promise<unknown> = Promise.resolve()
      const handlers: SubscriptionHandlers = {
        onMessage: (message) => messages.push(message),
        onSubscribed: () => {
          // Whoever publishes from this moment on must be heard.
          asked = server.cli('PUBLISH', 'news', 'first').then((count) => listeners.push(count))
        },
        onLost: vi.fn<() => void>(),
      }
      const subscription = await connection.subscribe('news', handlers)
      await asked
      expect(listeners).toEqual([1])
      await send(connection, 'PUBLISH', 'news', BYTES)
      await expect.poll(() => messages, soon).toEqual([Buffer.from('first'), BYTES])

      await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await expect.poll(() => listeners.length, soon).toBe(2)
      await expect.poll(() => messages.length, soon).toBe(3)
      // More than one while a wire that was too slow is being dropped.
      expect(listeners.filter((count) => count === 0)).toEqual([])
      expect(handlers.onLost).toHaveBeenCalledTimes(1)
      expect(await send(connection, 'PING')).toBe('PONG')

      proxy.blackhole()
      subscription.recycle()
      expect(handlers.onLost).toHaveBeenCalledTimes(2)
      await proxy.heal()
      await expect.poll(() => listeners.length, soon).toBe(3)
      subscription.close()
      await expect.poll(() => server.cli('PUBLISH', 'news', 'nobody'), soon).toBe(0)
      expect(handlers.onLost).toHaveBeenCalledTimes(2)
    })

    it('subscribes to more channels and to patterns over one connection, and again after it was cut', async () => {
      const { connection } = await up(proxy.url)
      const heard: string[] = []
      const before = proxy.connections.length
      const onMessage: SubscriptionHandlers['onMessage'] = (message, channel, pattern) => heard.push([message, channel, ...(pattern === undefined ? [] : [pattern])].join(' '))
      const onSubscribed = vi.fn<() => void>()
      const subscription = await connection.subscribe('news', { onMessage, onSubscribed, onLost() {} })
      await Promise.all([subscription.add('sport'), subscription.add('room:*', { isPattern: true }), subscription.add('sport')])
      const publish = async () => {
        for (const [channel, text] of [['sport', 'a'], ['room:1', 'b'], ['news', 'c'], ['other', 'd']] as const) await server.cli('PUBLISH', channel, text)
      }
      await publish()
      await expect.poll(() => heard, soon).toEqual(['a sport', 'b room:1 room:*', 'c news'])
      heard.length = 0
      expect(proxy.connections.length - before).toBe(1)

      proxy.refuse()
      proxy.reset()
      const late = subscription.add('late')
      await proxy.heal()
      await late
      await publish()
      await server.cli('PUBLISH', 'late', 'e')
      await expect.poll(() => heard, soon).toEqual(['a sport', 'b room:1 room:*', 'c news', 'e late'])

      subscription.remove('sport')
      subscription.remove('room:*', { isPattern: true })
      subscription.remove('late')
      await subscription.add('late')
      heard.length = 0
      await publish()
      await server.cli('PUBLISH', 'late', 'f')
      await expect.poll(() => heard, soon).toEqual(['c news', 'f late'])

      proxy.refuse()
      proxy.reset()
      const never = [subscription.add('never').catch(itself), subscription.add('gone').catch(itself)]
      subscription.remove('gone')
      subscription.close()
      expect(await Promise.all(never)).toEqual([expect.any(RedisUnavailableError), expect.any(RedisUnavailableError)])
    })

    it('closes within its time although nothing answers, and then refuses', async () => {
      const { connection } = await up(proxy.url)
      const subscription = connection.subscribe('news', { onMessage() {}, onSubscribed() {}, onLost() {} })
      await subscription
      proxy.blackhole()
      const pending = send(connection, 'GET', 'bytes').catch(itself)
      await connection.close(50)
      // And not because it was found out that nothing answers.
      expect(await pending).toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE', message: expect.stringContaining('closed before the reply') })
      await expect(send(connection, 'PING')).rejects.toBeInstanceOf(RedisUnavailableError)
      await expect(connection.subscribe('news', { onMessage() {}, onSubscribed() {}, onLost() {} })).rejects.toBeInstanceOf(RedisUnavailableError)
      await proxy.heal()
      await expect.poll(() => proxy.connections.length, soon).toBe(0)
    })

    it('lets what is in flight finish when it is closed', async () => {
      const { connection } = await up(proxy.url)
      proxy.delay(40)
      const reply = send(connection, 'ECHO', 'still here')
      await connection.close(30_000)
      expect(await reply).toEqual(Buffer.from('still here'))
    })

    it('does not hold a reply back for what was sent after it in the same tick', async () => {
      const { connection } = await up()
      const blocked = send(connection, 'BLPOP', 'list', '0')
      const [first] = await Promise.all([send(connection, 'ECHO', 'behind'), server.cli('RPUSH', 'list', 'go')])
      expect(first).toEqual(Buffer.from('behind'))
      expect(await blocked).toEqual([Buffer.from('list'), Buffer.from('go')])
      const early = send(connection, 'ECHO', 'before')
      const later = send(connection, 'BLPOP', 'list', '0')
      expect(await early).toEqual(Buffer.from('before'))
      await server.cli('RPUSH', 'list', 'go')
      await later
    })

    it('names the server as its only master', async () => {
      const { connection } = await up()
      const [master, ...others] = await connection.masters()
      expect(others).toEqual([])
      expect(String(await master?.send(['INFO', 'server'], 20_000))).toContain('run_id:')
    })

    it('gives up an attempt that is accepted but not answered, and makes the next', async () => {
      proxy.blackhole()
      const { connection } = open(target(proxy.url), 300)
      await expect(send(connection, 'PING')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
      await expect.poll(() => proxy.counts.accepted, soon).toBeGreaterThan(1)
      await proxy.heal()
      await expect.poll(() => connection.isUp, soon).toBe(true)
    })
  })

  describe.each(variants.filter(({ by }) => by === 'template'))('with a template of $packageName', ({ packageName }) => {
    it('neither connects, uses nor closes it', async () => {
      const client = template(packageName, server.url, { database: 3, db: 3 }) as { isOpen?: boolean; status?: string; connect(): Promise<unknown>; ping(): Promise<unknown>; destroy?(): void; disconnect(): void; on(event: string, listener: () => void): unknown }
      client.on('error', () => {})
      const { connection } = open(client as never)
      await connection.send(['SET', 'where', 'here'], { route: '', timeoutMs: 20_000 })
      expect(client.isOpen ?? client.status).toBe(packageName.startsWith('redis') ? false : 'wait')
      // On a busy machine its own first attempt may fail; what counts is that closing ours leaves it open.
      await client.connect().catch(() => {})
      await vi.waitFor(() => client.ping(), soon)
      await connection.close(1000)
      await vi.waitFor(async () => expect(String(await client.ping())).toBe('PONG'), soon)
      await server.cli('SELECT', 3)
      expect(await server.cli('GET', 'where')).toBe('here')
      await server.cli('SELECT', 0)
      client.disconnect()
    })

    it('does not go on in another database when its own does not exist', async () => {
      const { connection } = open(template(packageName, server.url, { database: 99, db: 99 }))
      await expect(connection.send(['PING'], { route: '', timeoutMs: 20_000 })).rejects.toBeInstanceOf(RedisRefusedError)
      expect(connection.isUp).toBe(false)
    })
  })

  it.each(['redis', 'ioredis'] as const)('refuses more than 50,000 commands that nobody answers: %s', async (packageName) => {
    const { connection } = open(template(packageName, server.url))
    await connection.send(['PING'], { route: '', timeoutMs: 20_000 })
    server.pause()
    const pending = Array.from({ length: 50_000 }, () => connection.send(['PING'], { route: '', timeoutMs: 60_000 }).catch(itself))
    await expect(connection.send(['PING'], { route: '', timeoutMs: 10_000 })).rejects.toThrow('50000 commands wait')
    await connection.close(0)
    for (const error of await Promise.all(pending)) expect(error).toBeInstanceOf(RedisUnavailableError)
  })

  it('asks for a client to be installed when there is none, and stops trying', async () => {
    installOnly(undefined)
    const { connection, errors } = open(server.url)
    await expect(connection.send(['PING'], { route: '', timeoutMs: 50_000 })).rejects.toMatchObject({ code: 'TIERCEL_MISSING_PEER' })
    await expect(connection.send(['PING'], { route: '', timeoutMs: 50_000 })).rejects.toThrow('npm install redis')
    expect(errors).toHaveLength(1)
  })

  it('does not take a held-up event loop for a server that is late', async () => {
    const { connection } = open(server.url)
    await connection.send(['PING'], { route: '', timeoutMs: 20_000 })
    const reply = connection.send(['ECHO', 'there'], { route: '', timeoutMs: 20 })
    // Right after the command was written, until its deadline is past and the reply is there.
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3000))
    expect(await reply).toEqual(Buffer.from('there'))
  })

  it('survives a server that accepts and hangs up, and one that speaks something else', async () => {
    const rude = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
    await once(rude, 'listening')
    for (const { packageName } of variants.filter(({ by }) => by === 'template')) {
      const { connection } = open(template(packageName, `redis://127.0.0.1:${(rude.address() as AddressInfo).port}`))
      await expect(connection.send(['PING'], { route: '', timeoutMs: 20_000 })).rejects.toBeInstanceOf(RedisUnavailableError)
    }
    await closeAll()
    rude.close()
  })
})
