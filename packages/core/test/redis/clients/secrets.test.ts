import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { TiercelError } from '../../../src/errors/index.js'
import { defineScript, openConnection, type RedisConnection, type RedisTarget } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startProxy, startRedis, type FaultProxy, type RedisServer } from '../server/index.js'
import { closeAll, installOnly, open, variants, type Opened } from './variants.js'

const CANARY = 'c4n4ry'
const soon = { timeout: 30_000, interval: 5 }

/** Everything a logger, a debugger or a careless handler could get out of it. */
function leaks(thing: unknown): boolean {
  const texts = [inspect(thing, { depth: 30, showHidden: true }), JSON.stringify(thing), String(thing)]
  if (thing instanceof Error) texts.push(thing.message, String(thing.stack), inspect(thing.cause))
  return texts.some((text) => text?.includes(CANARY))
}

describeWithRedis('No error tells a password, key, value or argument', () => {
  let server: RedisServer
  let proxy: FaultProxy
  const printed: string[] = []

  beforeAll(async () => {
    server = await startRedis({ password: `${CANARY}-password` })
    proxy = await startProxy(server.port)
    await server.cli('RPUSH', `${CANARY}-list`, 'x')
    await server.cli('SET', `${CANARY}-text`, `${CANARY}-value`)
    await server.cli('ACL', 'SETUSER', `${CANARY}-user`, 'on', `>${CANARY}-password`, '~allowed:*', '+@all', '-flushall', 'resetchannels')
  })
  beforeEach(() => {
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, method).mockImplementation((...args) => {
        printed.push(inspect(args, { depth: 30 }))
      })
    }
  })
  afterEach(async () => {
    await closeAll()
    vi.restoreAllMocks()
    vi.doUnmock('redis')
    vi.doUnmock('ioredis')
    server.resume()
    await proxy.heal()
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })

  describe.each(variants)('by $name', ({ packageName, by, target }) => {
    beforeEach(() => installOnly(by === 'URL' ? packageName : undefined))

    const url = (user = '', port = server.port, password = `${CANARY}-password`) => `redis://${user}:${password}@127.0.0.1:${port}`
    const secret = [`${CANARY}-key`, Buffer.from(`${CANARY}-bytes`)]
    const send = (connection: RedisConnection, ...args: (string | Buffer)[]) => connection.send(args, { route: '', timeoutMs: 20_000 })

    const failures: Record<string, (opened: (address?: string, connectTimeoutMs?: number) => Opened) => Promise<unknown>> = {
      'wrong password': (opened) => send(opened(url('', server.port, `wrong-${CANARY}`)).connection, 'PING'),
      'no password': (opened) => send(opened(`redis://127.0.0.1:${server.port}`).connection, 'SET', ...secret),
      'wrong type': (opened) => send(opened().connection, 'INCR', `${CANARY}-list`),
      'not a number': (opened) => send(opened().connection, 'INCR', `${CANARY}-text`),
      'unknown command': (opened) => send(opened().connection, `NO${CANARY}`, ...secret),
      'wrong number of arguments': (opened) => send(opened().connection, 'SET', ...secret, 'a', 'b', `${CANARY}`),
      'error in a script': (opened) => opened().connection.run(defineScript("error(ARGV[1] .. KEYS[1])"), [`${CANARY}-key`], secret, 20_000),
      'error made by a script': (opened) => opened().connection.run(defineScript("return redis.error_reply('SECRET ' .. ARGV[1])"), [], secret, 20_000),
      'command not permitted': (opened) => send(opened(url(`${CANARY}-user`)).connection, 'FLUSHALL'),
      'key not permitted': (opened) => send(opened(url(`${CANARY}-user`)).connection, 'SET', ...secret),
      'channel not permitted': (opened) => send(opened(url(`${CANARY}-user`)).connection, 'PUBLISH', ...secret),
      'database that does not exist': (opened) => send(opened(`${url()}/4242`).connection, 'SET', ...secret),
      'server that does not listen': (opened) => send(opened(url(`${CANARY}-user`, 1)).connection, 'SET', ...secret),
      'name that does not resolve': (opened) => send(opened(`redis://:${CANARY}-password@no-such-host.invalid:1`).connection, 'SET', ...secret),
      'TLS to a server without': (opened) => send(opened(`rediss://:${CANARY}-password@127.0.0.1:${server.port}`, 100).connection, 'SET', ...secret),
      'deadline': async (opened) => {
        const { connection } = opened()
        await send(connection, 'PING')
        server.pause()
        return await connection.send(['SET', ...secret], { route: '', timeoutMs: 20 })
      },
      'connection lost in flight': async (opened) => {
        const { connection } = opened(url('', proxy.port))
        await send(connection, 'PING')
        proxy.blackhole()
        const pending = send(connection, 'SET', ...secret)
        setImmediate(() => proxy.reset())
        return await pending
      },
      'server gone': async (opened) => {
        const { connection } = opened(url('', proxy.port))
        await send(connection, 'PING')
        proxy.refuse()
        proxy.reset()
        await vi.waitUntil(() => !connection.isUp, soon)
        return await send(connection, 'SET', ...secret)
      },
      'connection closed': async (opened) => {
        const { connection } = opened()
        await connection.close(0)
        return await send(connection, 'SET', ...secret)
      },
      'out of memory': async (opened) => {
        const { connection } = opened()
        await server.cli('CONFIG', 'SET', 'maxmemory', 1)
        try {
          return await send(connection, 'SET', ...secret)
        } finally {
          await server.cli('CONFIG', 'SET', 'maxmemory', 0)
        }
      },
    }

    it.each(Object.keys(failures))('%s', async (name) => {
      const opened: Opened[] = []
      const failure = failures[name]?.((address = url(), connectTimeoutMs = 20_000) => {
        const one = open(target(address), connectTimeoutMs)
        opened.push(one)
        return one
      })
      const error = await failure?.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      expect(TiercelError.is(error)).toBe(true)
      expect(leaks(error)).toBe(false)
      for (const { connection, errors } of opened) {
        expect(leaks(connection)).toBe(false)
        expect(errors.filter(leaks)).toEqual([])
      }
      expect(printed.filter((text) => text.includes(CANARY))).toEqual([])
    })

    it('is not up while it has not given the password', async () => {
      const { connection, errors } = open(target(`redis://127.0.0.1:${server.port}`))
      await vi.waitUntil(() => errors.length > 0, soon)
      expect(connection.isUp).toBe(false)
      expect(errors[0]).toMatchObject({ reply: 'auth' })
    })

    it('gives a name and an advice for each kind of refusal', async () => {
      const refusal = async (name: string) => {
        const error: unknown = await failures[name]?.((address = url(), connectTimeoutMs = 20_000) => open(target(address), connectTimeoutMs)).catch((reason: unknown) => reason)
        return error
      }
      expect(await refusal('wrong type')).toMatchObject({ reply: 'wrongtype' })
      expect(await refusal('no password')).toMatchObject({ reply: 'auth' })
      expect(await refusal('command not permitted')).toMatchObject({ reply: 'permission', message: expect.stringContaining('+flushall') })
      expect(await refusal('key not permitted')).toMatchObject({ reply: 'permission', message: expect.stringContaining('~') })
      expect(await refusal('channel not permitted')).toMatchObject({ reply: 'permission', message: expect.stringContaining('&') })
      expect(await refusal('out of memory')).toMatchObject({ reply: 'oom' })
      expect(await refusal('server that does not listen')).toMatchObject({ message: expect.stringContaining('127.0.0.1:1') })
      expect(await refusal('TLS to a server without')).toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
      const { connection, errors } = open(target(url(`${CANARY}-user`)))
      connection.subscribe(CANARY, { onMessage() {}, onSubscribed() {}, onLost() {} }).catch(() => {})
      await vi.waitUntil(() => errors.length > 0, soon)
      expect(errors[0]).toMatchObject({ reply: 'permission', message: expect.stringContaining('&') })
      expect(errors.filter(leaks)).toEqual([])
    })
  })

  it('tells a stopped script, a replica and a server that is loading apart', async () => {
    const { connection } = open(`redis://:${CANARY}-password@127.0.0.1:${server.port}`)
    const refuse = (reply: string) => connection.run(defineScript(`return redis.error_reply(${JSON.stringify(reply)})`), [], [], 20_000)
    await expect(refuse('LOADING Redis is loading the dataset in memory')).rejects.toMatchObject({ reply: 'loading' })
    await expect(refuse('BUSY Redis is busy running a script')).rejects.toMatchObject({ reply: 'busy' })
    await expect(refuse('CLUSTERDOWN Hash slot not served')).rejects.toMatchObject({ reply: 'clusterdown' })
    await expect(refuse('MOVED 1 127.0.0.1:1')).rejects.toMatchObject({ reply: 'other', name: 'RedisRefusedError', message: expect.stringContaining('cluster client') })
    await server.cli('REPLICAOF', '127.0.0.1', 1)
    await expect(connection.send(['SET', 'a', 'b'], { route: '', timeoutMs: 20_000 })).rejects.toMatchObject({ reply: 'readonly' })
    await server.cli('REPLICAOF', 'NO', 'ONE')
  })
})

describe('A target that is none is refused without being repeated', () => {
  const wrong: unknown[] = [
    `http://user:${CANARY}@host`,
    `redis://user:${CANARY}/more@host`,
    `redis://user:${CANARY}#more@host`,
    `redis://user:${CANARY}?more@host`,
    `redis://user:%${CANARY}@host`,
    `redis:${CANARY}`,
    `redis://host?password=${CANARY}`,
    `redis://host/${CANARY}`,
    `redis://${CANARY}@host`,
    CANARY,
    { [CANARY]: 1 },
    { host: 'a', pasword: CANARY },
    { url: 'redis://a', password: CANARY },
    { username: CANARY },
    { port: CANARY },
    { port: 65_536 },
    { database: -1 },
    { host: '' },
    { tls: CANARY },
    { url: 'redis://a', tls: true },
    { url: 'rediss://a', tls: false },
    { duplicate() {}, password: CANARY },
    new Map([[CANARY, CANARY]]),
    null,
    7,
  ]
  it.each(wrong.map((target, index) => ({ index, target })))('number $index', ({ target }) => {
    let error: unknown
    try {
      openConnection(target as RedisTarget, { connectTimeoutMs: 100, onError() {} })
    } catch (thrown) {
      error = thrown
    }
    expect(error).toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    expect(leaks(error)).toBe(false)
  })
})
