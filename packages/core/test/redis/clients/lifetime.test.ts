import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { openConnection as openFromSource } from '../../../src/redis/clients/index.js'
import { describeWithRedis, startProxy, startRedis, type FaultProxy, type RedisServer } from '../server/index.js'
import { packages } from './variants.js'

const require = createRequire(import.meta.url)
const here = fileURLToPath(new URL('.', import.meta.url))

describeWithRedis('A process that uses Redis', () => {
  let server: RedisServer
  let proxy: FaultProxy
  let folder: string
  /** It is stopped and its queue of connections is full, so that the system does not answer for it either. */
  let deaf: RedisServer
  const waiting: Socket[] = []

  beforeAll(async () => {
    server = await startRedis()
    proxy = await startProxy(server.port)
    deaf = await startRedis({ args: ['--tcp-backlog', '1'] })
    deaf.pause()
    for (let i = 0; i < 8; i++) waiting.push(connect(deaf.port, '127.0.0.1').on('error', () => {}))
    folder = mkdtempSync(join(here, '.built-'))
    const common = { entryPoints: [join(here, '../../../src/redis/clients/index.ts')], bundle: true, external: ['redis', 'ioredis'] }
    await Promise.all([
      build({ ...common, platform: 'node', format: 'esm', outfile: join(folder, 'clients.mjs') }),
      build({ ...common, platform: 'node', format: 'cjs', outfile: join(folder, 'clients.cjs'), supported: { 'dynamic-import': false } }),
    ])
  })
  afterEach(() => proxy.heal())
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    for (const socket of waiting) socket.destroy()
    await Promise.all([proxy.stop(), server.stop(), deaf.stop()])
  })

  /** Runs a program until it ends by itself: `{ code, printed }`. */
  async function run(program: string): Promise<{ code: number | null; printed: string }> {
    const source = `
      import { createRequire } from 'node:module'
      import { openConnection } from ${JSON.stringify(join(folder, 'clients.mjs'))}
      const require = createRequire(${JSON.stringify(import.meta.url)})
      const template = (name, url) => name.startsWith('redis') ? require(name).createClient({ url }) : new (require(name).Redis)(url, { lazyConnect: true })
      const open = (name, url) => openConnection(template(name, url), { connectTimeoutMs: 20_000, onError() {} })
      const send = (connection, ...args) => connection.send(args, { route: '', timeoutMs: 20_000 })
      ${program}`
    const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'pipe'] })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { printed += String(chunk) })
    const [code] = (await once(child, 'exit')) as [number | null]
    return { code, printed }
  }

  describe.each(packages.map((name) => ({ name })))('through $name', ({ name }) => {
    const ended = { code: 0, printed: '' }

    it('ends by itself after close, with a subscription open, and although nothing answers', async () => {
      expect(
        await run(`
          const connection = open('${name}', '${proxy.url}')
          await send(connection, 'PING')
          await connection.subscribe('news', { onMessage() {}, onSubscribed() {}, onLost() {} })
          send(connection, 'BLPOP', 'never', '0').catch(() => {})
          await connection.close(20)`),
      ).toEqual(ended)
    })

    it('ends although Redis cannot be reached, once nobody waits for it', async () => {
      expect(
        await run(`
          const connection = open('${name}', 'redis://127.0.0.1:1')
          await send(connection, 'PING').catch(({ code }) => { if (code !== 'TIERCEL_REDIS_UNAVAILABLE') throw code })
          await send(connection, 'PING').catch(() => {})`),
      ).toEqual(ended)
    })

    // Far less than either client grants itself for connecting, or for saying goodbye. Turns of its event loop are counted, of which a process that is held up has none.
    const late = "let turns = 0; setInterval(() => { if (++turns === 100) console.log('still there') }, 15).unref()"

    it('ends while a connection is still being made', async () => {
      proxy.blackhole()
      expect(await run(`const connection = open('${name}', '${proxy.url}'); setTimeout(() => { connection.close(0); ${late} }, 150)`)).toEqual(ended)
    })

    it('ends although the other side never takes the connection', async () => {
      expect(await run(`const connection = open('${name}', '${deaf.url}'); setTimeout(() => { connection.close(0); ${late} }, 150)`)).toEqual(ended)
    })

    it('survives the loss of Redis, and of a template without listeners', async () => {
      const program = `
        const connection = open('${name}', '${proxy.url}')
        await send(connection, 'PING')
        await connection.subscribe('news', { onMessage() {}, onSubscribed() {}, onLost: () => setTimeout(() => connection.close(0), 100) })
        console.log('ready')
        await send(connection, 'SET', '${name}', 'ready').catch(() => {})`
      const running = run(program)
      await expect.poll(() => server.cli('GET', name), { timeout: 30_000 }).toBe('ready')
      proxy.reset()
      expect(await running).toEqual({ code: 0, printed: 'ready\n' })
    })
  })

  it('can be a CommonJS one', () => {
    const { openConnection } = require(join(folder, 'clients.cjs')) as { openConnection: typeof openFromSource }
    const connection = openConnection(server.url, { connectTimeoutMs: 20_000, onError() {} })
    return connection
      .send(['PING'], { route: '', timeoutMs: 20_000 })
      .then((reply) => expect(reply).toBe('PONG'))
      .finally(() => connection.close(100))
  })
})
