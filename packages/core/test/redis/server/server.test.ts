import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { describeWithRedis, startCluster, startProxy, startRedis, useRedis, type RedisServer } from './index.js'

describeWithRedis('A Redis server for tests', () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis({ password: 'p@ss:word', args: ['--maxmemory', '100mb'] })
  })
  afterAll(() => server.stop())

  it('takes commands, arguments and a password', async () => {
    await server.cli('SET', 'a', '1')
    expect(await server.cli('GET', 'a')).toBe('1')
    expect(await server.cli('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(100 * 1024 * 1024)])
    await expect(server.cli('NONSENSE')).rejects.toThrow('unknown command')
  })

  it('is the one that REDIS_URL names, where a test does it no harm', async () => {
    vi.stubEnv('REDIS_URL', server.url)
    const shared = await useRedis()
    expect(shared.url).toBe(server.url)
    await shared.stop()
    expect(await server.cli('PING')).toBe('PONG')
    vi.stubEnv('REDIS_URL', '')
    const own = await useRedis()
    expect(own.url).not.toBe(server.url)
    await own.stop()
    vi.unstubAllEnvs()
  })

  it('restarts with its data or without', async () => {
    await server.cli('SET', 'kept', 'yes')
    await server.restart({ empty: false })
    expect(await server.cli('GET', 'kept')).toBe('yes')
    await server.restart()
    expect(await server.cli('GET', 'kept')).toBeNull()
  })

  it('stops answering while it is paused', async () => {
    server.pause()
    let answered = false
    const reply = server.cli('ECHO', 'late').finally(() => {
      answered = true
    })
    await pause(50)
    expect(answered).toBe(false)
    server.resume()
    expect(await reply).toBe('late')
  })

  it('ends with a test process that is killed, and takes its folder along', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tiercel-redis-'))
    const child = new URL('child.ts', import.meta.url).href
    const program = `import(${JSON.stringify(child)}).then(async ({ startChild }) => { console.log((await startChild('sleep', ['600'], ${JSON.stringify(folder)})).pid); setInterval(() => {}, 1000) })`
    const parent = spawn(process.execPath, ['--import', 'data:text/javascript,', '--input-type=module', '-e', await lowered(program)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(String(line))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false)
    await expect.poll(() => existsSync(folder), { timeout: 5000 }).toBe(false)
  })

  it('forms a cluster whose nodes agree', async () => {
    const cluster = await startCluster(3)
    try {
      for (const node of cluster.nodes) expect(String(await node.cli('CLUSTER', 'INFO'))).toContain('cluster_slots_ok:16384')
    } finally {
      await cluster.stop()
    }
  })

  it('is reached through a proxy that keeps the order, whatever it does to the timing', async () => {
    const proxy = await startProxy(server.port)
    const socket = connect(proxy.port, '127.0.0.1')
    let received = ''
    socket.on('data', (chunk) => {
      received += String(chunk)
    })
    socket.on('error', () => {})
    const echo = (text: string) => socket.write(`*2\r\n$4\r\nECHO\r\n$1\r\n${text}\r\n`)
    socket.write('*2\r\n$4\r\nAUTH\r\n$9\r\np@ss:word\r\n')
    await expect.poll(() => received).toBe('+OK\r\n')
    received = ''
    proxy.delay(60)
    echo('a')
    await expect.poll(() => proxy.chunks.up).toBe(2)
    proxy.delay(0)
    echo('b')
    proxy.blackhole('down')
    echo('c')
    await expect.poll(() => proxy.chunks.down, { timeout: 2000 }).toBeGreaterThan(1)
    expect(received).not.toContain('c')
    await proxy.heal()
    await expect.poll(() => received).toBe('$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n')

    proxy.refuse()
    await expect.poll(() => socket.destroyed).toBe(true)
    const refused = connect(proxy.port, '127.0.0.1')
    await expect(once(refused, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.heal()
    const welcome = connect(proxy.port, '127.0.0.1')
    await once(welcome, 'connect')
    welcome.destroy()
    await proxy.stop()
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

/** The program with the TypeScript it imports turned into what a plain Node can run. */
async function lowered(program: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const { transform } = await import('esbuild')
  const url = /import\("(file:[^"]+)"\)/.exec(program)?.[1] ?? ''
  const { code } = await transform(await readFile(new URL(url), 'utf8'), { loader: 'ts' })
  return program.replace(url, `data:text/javascript,${encodeURIComponent(code)}`)
}
