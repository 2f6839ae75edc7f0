import { existsSync, statSync } from 'node:fs'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { makeCertificates, startProxy, startRedis, type RedisServer, type RedisServerOptions } from '../../src/testing/index.js'
import { describeWithRedis } from '../redis/server/index.js'
import { builtTesting, importsOfTesting, runProgram } from './built.js'
import { rawClients, type RawClient } from './raw-clients.js'

const soon = { timeout: 30_000, interval: 5 }
const started: { stop(): unknown }[] = []

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options)
  started.push(server)
  return server
}

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const each of started.splice(0).reverse()) await each.stop()
})

describe('without a Redis server', () => {
  it('starting one says how to get one', async () => {
    vi.stubEnv('PATH', '/nowhere')
    await expect(startRedis()).rejects.toMatchObject({ code: 'TIERCEL_MISSING_PROGRAM', message: expect.stringContaining('apt-get install redis-server') })
    await expect(startRedis({ executable: '/nowhere/redis-server' })).rejects.toMatchObject({ code: 'TIERCEL_MISSING_PROGRAM' })
    await expect(makeCertificates()).rejects.toMatchObject({ code: 'TIERCEL_MISSING_PROGRAM', message: expect.stringContaining('openssl') })
  })
})

describeWithRedis('a Redis server for tests', () => {
  it('takes commands, arguments and a password', async () => {
    const server = await start({ password: 'p@ss:word', args: ['--maxmemory', '100mb'] })
    await server.cli('SET', 'a', '1')
    expect(await server.cli('GET', 'a')).toBe('1')
    await server.cli('SET', 'bytes', Buffer.from('grüße'))
    expect(await server.cli('GET', 'bytes')).toBe('grüße')
    expect(await server.cli('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(100 * 1024 * 1024)])
    await expect(server.cli('NONSENSE')).rejects.toMatchObject({ code: 'TIERCEL_TEST_SERVER', message: expect.stringContaining('unknown command') })
  })

  it('tells in its own words why it does not start, and never its password', async () => {
    const failed = startRedis({ password: 'secret-93', args: ['--no-such-option', 'secret-93'] })
    await expect(failed).rejects.toMatchObject({ code: 'TIERCEL_TEST_SERVER', message: expect.stringContaining('no-such-option') })
    await expect(failed).rejects.not.toMatchObject({ message: expect.stringContaining('secret-93') })
  })

  it('keeps its place in a folder that nobody else may read', async () => {
    const server = await start()
    const [, folder = ''] = (await server.cli('CONFIG', 'GET', 'dir')) as string[]
    expect(statSync(folder).mode & 0o077).toBe(0)
    await server.stop()
    expect(existsSync(folder)).toBe(false)
  })

  it('restarts with nothing, with everything, or with what it had at an earlier time', async () => {
    const server = await start()
    const port = server.port
    await server.cli('SET', 'k', 'early')
    const dump = await server.dump()
    await server.cli('SET', 'k', 'late')
    await server.restart('everything')
    expect(await server.cli('GET', 'k')).toBe('late')
    await server.restart(dump)
    expect(await server.cli('GET', 'k')).toBe('early')
    await server.restart()
    expect(await server.cli('GET', 'k')).toBeNull()
    expect(server.port).toBe(port)
    const other = await start({ dump })
    expect(await other.cli('GET', 'k')).toBe('early')
  })

  it('runs again with what it last saved after it was killed', async () => {
    const server = await start()
    const pid = server.pid ?? NaN
    await server.cli('SET', 'k', 'saved')
    await server.dump()
    await server.cli('SET', 'k', 'lost')
    await server.kill()
    expect(isAlive(pid)).toBe(false)
    await expect(server.cli('PING')).rejects.toMatchObject({ code: 'TIERCEL_TEST_SERVER' })
    await server.start()
    expect(await server.cli('GET', 'k')).toBe('saved')
    await expect(server.start()).rejects.toMatchObject({ code: 'TIERCEL_TEST_SERVER' })
  })

  it('starts again after it ended by itself', async () => {
    const server = await start()
    await server.cli('SHUTDOWN', 'NOSAVE').catch(() => {})
    await expect.poll(() => server.start().then(() => 'started', () => 'ending'), soon).toBe('started')
    expect(await server.cli('PING')).toBe('PONG')
  })

  it('has its port to itself also while it is down', async () => {
    const server = await start()
    const proxy = await startProxy(server)
    started.push(proxy)
    await server.kill()
    proxy.refuse()
    // As if chance had chosen these of the ten thousand that there are.
    const pick = ({ port }: { readonly port: number }) => (port - 12_000 + 0.5) / 10_000
    const random = vi.spyOn(Math, 'random').mockReturnValueOnce(pick(server)).mockReturnValueOnce(pick(proxy))
    const other = await start()
    expect(random.mock.calls.length).toBeGreaterThan(2)
    random.mockRestore()
    expect([server.port, proxy.port]).not.toContain(other.port)
    await proxy.heal()
    await server.start()
    expect(await server.cli('PING')).toBe('PONG')
  })

  it('is stopped at the end of a scope', async () => {
    let pid: number | undefined
    {
      await using server = await startRedis()
      await using proxy = await startProxy(server)
      pid = server.pid
      expect(proxy.connections).toEqual([])
    }
    expect(isAlive(pid ?? NaN)).toBe(false)
  })

  it('reconnects by itself when the connection of cli was killed', async () => {
    const server = await start()
    await server.cli('SET', 'k', 'v')
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => {})
    await expect.poll(() => server.cli('GET', 'k').catch(() => 'closing'), soon).toBe('v')
  })

  describe.each(rawClients)('as $name sees it', ({ connect: connectClient }) => {
    async function open(url: string, ca?: string): Promise<RawClient> {
      const client = await connectClient(url, ca)
      started.push({ stop: () => client.close() })
      return client
    }

    it('breaks connections when it is killed', async () => {
      const server = await start()
      const client = await open(server.url)
      const blocked = client.send('BLPOP', 'list', '0')
      blocked.catch(() => {})
      await expect.poll(() => server.cli('INFO', 'clients'), soon).toContain('blocked_clients:1')
      await server.kill()
      await expect(blocked).rejects.toThrow(/./)
      await client.lost
      await expect(open(server.url)).rejects.toThrow(/ECONNREFUSED|closed/i)
    })

    it('answers nothing while it is paused, though it can be connected to, and everything afterwards', async () => {
      const server = await start()
      const client = await open(server.url)
      server.pause()
      const reply = client.send('INCR', 'n')
      let isAnswered = false
      const answered = reply.then(() => (isAnswered = true))
      const socket = (await import('node:net')).connect(server.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
      for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
      expect(isAnswered).toBe(false)
      server.resume()
      await answered
      expect(Number(await reply)).toBe(1)
    })

    it('refuses what needs memory while it is filled, and pushes out what it may', async () => {
      const server = await start()
      const client = await open(server.url)
      await client.send('SET', 'k', 'v')
      await server.fillUp()
      await expect(client.send('SET', 'l', 'v')).rejects.toThrow('OOM')
      expect(String(await client.send('GET', 'k'))).toBe('v')
      expect(Number(await client.send('UNLINK', 'k'))).toBe(1)
      await server.drain()
      const fill = (name: string) => Promise.all(Array.from({ length: 200 }, (_, i) => client.send('SET', `${name} ${i}`, 'x'.repeat(10_000))))
      await fill('before')
      await server.fillUp({ policy: 'allkeys-lru' })
      await fill('after')
      expect(Number(/evicted_keys:(\d+)/.exec(String(await server.cli('INFO', 'stats')))?.[1])).toBeGreaterThan(0)
      await server.drain()
      expect(await server.cli('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', '0'])
      expect(await server.cli('CONFIG', 'GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction'])
      await client.send('SET', 'k', 'v')
    })

    it('is a replica of another, and fails over', async () => {
      const [primary, replica] = [await start({ password: 'of the primary' }), await start()]
      await primary.cli('SET', 'k', 'v')
      await replica.follow(primary)
      const client = await open(replica.url)
      expect(String(await client.send('GET', 'k'))).toBe('v')
      await expect(client.send('SET', 'k', 'w')).rejects.toThrow('READONLY')
      await replica.promote()
      await client.send('SET', 'k', 'w')
      await primary.follow(replica)
      const demoted = await open(primary.url)
      await expect(demoted.send('SET', 'k', 'x')).rejects.toThrow('READONLY')
      expect(String(await demoted.send('GET', 'k'))).toBe('w')
    })

    it('talks TLS, and only with who trusts its certificate', async () => {
      const server = await start({ tls: true, password: 'secret' })
      expect(server.url).toMatch(/^rediss:\/\/:secret@127\.0\.0\.1:\d+$/)
      const client = await open(server.url, server.certificates?.ca)
      await client.send('SET', 'k', 'v')
      expect(await server.cli('GET', 'k')).toBe('v')
      await expect(open(server.url, (await makeCertificates()).ca)).rejects.toThrow(/./)
      const proxy = await startProxy(server)
      started.push(proxy)
      const through = await open(proxy.url, server.certificates?.ca)
      expect(String(await through.send('GET', 'k'))).toBe('v')
    })

    it('lets users do what they may', async () => {
      const server = await start({ password: 'of the default user' })
      const client = await open(await server.addUser('app', 'p@ss', ['~app:*', '+get', '+set', '+info', '+hello', '+client']))
      await client.send('SET', 'app:k', 'v')
      await expect(client.send('SET', 'other', 'v')).rejects.toThrow('NOPERM')
      await expect(client.send('DEL', 'app:k')).rejects.toThrow('NOPERM')
      const old = server.url
      await server.setPassword('another')
      await expect(open(old)).rejects.toThrow(/WRONGPASS|closed/)
      expect(await (await open(server.url)).send('PING')).toBe('PONG')
      await server.restart()
      expect(await (await open(server.url)).send('PING')).toBe('PONG')
    })
  })

  it.each([
    ['that is over', { validUntil: new Date(Date.now() - 3_600_000) }, 'CERT_HAS_EXPIRED'],
    ['that is yet to come', { validFrom: new Date(Date.now() + 86_400_000) }, 'CERT_NOT_YET_VALID'],
    ['of another host', { hosts: ['elsewhere.example', '10.0.0.1'] }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('shows a certificate %s', async (_, options, code) => {
    const certificates = await makeCertificates(options)
    const server = await start({ tls: certificates })
    const socket = connect({ port: server.port, host: '127.0.0.1', ca: certificates.ca })
    await expect(once(socket, 'secureConnect')).rejects.toMatchObject({ code })
  })
})

describeWithRedis('a process that started a server and a proxy', () => {
  let built: string
  beforeAll(async () => {
    built = await builtTesting()
  })

  const PROGRAM = `
    const server = await testing.startRedis()
    const proxy = await testing.startProxy(server)
    const [, folder] = await server.cli('CONFIG', 'GET', 'dir')
    console.log(JSON.stringify({ pid: server.pid, folder }))
    server.pause()`

  it.each([
    ['by itself, with nothing left to do', '', undefined],
    ['by process.exit', 'process.exit()', undefined],
    ['after somebody removed its folder', "const { rmSync } = await import('node:fs'); rmSync(folder, { recursive: true })", undefined],
    ['by SIGINT', 'setInterval(() => {}, 1000)', 'SIGINT'],
    ['by SIGKILL', 'setInterval(() => {}, 1000)', 'SIGKILL'],
  ] as const)('takes both along when it ends %s', async (_, rest, signal) => {
    const program = runProgram(built, `${PROGRAM}\n${rest}`)
    const { pid, folder } = JSON.parse(await program.line()) as { pid: number; folder: string }
    if (signal !== undefined) program.child.kill(signal)
    await program.ended
    await expect.poll(() => isAlive(pid), soon).toBe(false)
    await expect.poll(() => existsSync(folder), soon).toBe(false)
  })

  it('still has both when it is interrupted and wants to end well', async () => {
    const program = runProgram(built, `
      const server = await testing.startRedis()
      process.once('SIGINT', async () => {
        // One that was told to end does so within a tenth of a second.
        for (let i = 0; i < 30; i++) await server.cli('BLPOP', 'nothing', '0.01')
        console.log(await server.cli('PING'))
        await server.stop()
        process.exit(7)
      })
      setInterval(() => {}, 1000)
      console.log('ready')`)
    expect(await program.line()).toBe('ready')
    // As a terminal does: to everybody in the group.
    process.kill(-(program.child.pid ?? NaN), 'SIGINT')
    expect(await program.line()).toBe('PONG')
    expect(await program.ended).toBe(7)
  })

  it('can start more than ten without a warning', async () => {
    const program = runProgram(built, `
      process.on('warning', (warning) => console.log(warning.name))
      const servers = await Promise.all(Array.from({ length: 12 }, () => testing.startRedis()))
      await Promise.all(servers.map((server) => server.stop()))
      console.log('done')`)
    expect(await program.line()).toBe('done')
    expect(await program.ended).toBe(0)
  })

  it('needs nothing but Node for it: neither a client nor a test runner', async () => {
    expect(await importsOfTesting()).not.toEqual([])
    expect((await importsOfTesting()).filter((name) => !name.startsWith('node:'))).toEqual([])
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
