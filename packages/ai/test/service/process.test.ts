import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRedis, startRedis } from '../../../core/test/redis/server/index.js'

/** Long past what any of the scripts takes. A process that is still there then does not end by itself. */
const TOO_LONG = 50_000

/** A machine that is busy is no trouble to be told of. */
const patient = { REDIS_COMMAND_TIMEOUT: '20000', REDIS_CONNECT_TIMEOUT: '20000' }

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
let directory = ''

beforeAll(async () => {
  // Inside the package, so that the client of Redis is found from there.
  directory = await mkdtemp(join(at('../../node_modules'), '.tiercel-'))
  await build({
    entryPoints: [at('../../src/index.ts')],
    outfile: join(directory, 'ai.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    alias: { '@tiercel/core/connection': at('../../../core/src/connection.ts'), '@tiercel/core': at('../../../core/src/index.ts') },
    external: ['redis', 'ioredis'],
    logLevel: 'error',
  })
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** A service that is closed does not wait for ever for what is still to be written. Here it waits for as long as it takes. */
const unhurried = `
  const { setTimeout } = globalThis
  globalThis.setTimeout = (call, ms, ...args) => setTimeout(call, 20 * ms, ...args)`

/** Runs a script in a process of its own. */
function run(script: string, env: NodeJS.ProcessEnv = {}): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve, reject) => {
    const source = `import { aiCacheService, createAICacheService } from ${JSON.stringify(pathToFileURL(join(directory, 'ai.mjs')).href)}\n${script}`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TOO_LONG,
      cwd: tmpdir(),
      env: { PATH: process.env.PATH, ...patient, ...env },
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += String(chunk)))
    child.stderr.on('data', (chunk) => (err += String(chunk)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out: out.trim(), err: err.trim() }))
  })
}

describe('a process', () => {
  it.each([
    ['that has only imported it', ''],
    ['with values in it', `aiCacheService.setSearchResults('k', 'v'); aiCacheService.getSearchResults('x')`],
    ['with a service of its own', `createAICacheService().setChatResponse('k', 'v')`],
    ['that waits for nothing', `void aiCacheService.ready; void aiCacheService.warmCache(); void aiCacheService.flush()`],
  ])('ends by itself: one %s', async (_, script) => {
    expect(await run(`${script}\nconsole.log('last line')`)).toEqual({ code: 0, out: 'last line', err: '' })
  })

  it('that has only imported it connects to nothing', async () => {
    expect(await run(`console.log('last line')`, { REDIS_URL: 'redis://127.0.0.1:1', AI_CACHE_EXPIRY_MINUTES: 'soon' })).toEqual({ code: 0, out: 'last line', err: '' })
  })
})

describe('a process whose cache is disabled', () => {
  it('connects to nothing', async () => {
    const script = `aiCacheService.setSearchResults('k', 'v'); await aiCacheService.ready; console.log(aiCacheService.getSearchResults('k'))`
    expect(await run(script, { REDIS_URL: 'redis://127.0.0.1:1', AI_CACHE_ENABLED: 'false' })).toEqual({ code: 0, out: 'null', err: '' })
  })
})

describeWithRedis('a process with Redis', () => {
  it('takes it, and its prefix, from the environment, and tells of each kind of trouble once', async () => {
    const server = await startRedis()
    try {
      const script = `
        ${unhurried}
        for (const key of ['a', 'b', 'c']) aiCacheService.setSearchResults(key, () => key)
        aiCacheService.setSearchResults('k', 'v')
        await aiCacheService.ready
        await aiCacheService.close()`
      const { code, err } = await run(script, { REDIS_URL: server.url, REDIS_KEY_PREFIX: 'app:' })
      expect({ code, lines: err.split('\n').length }).toEqual({ code: 0, lines: 1 })
      expect(err).toMatch(/^AI cache: TIERCEL_\w+: /)
      expect(await server.cli('KEYS', '*:v')).toEqual(['app:ai:search:1:{k}:v'])
    } finally {
      await server.stop()
    }
  })

  it('ends by itself once the service is closed, and has written everything', async () => {
    const server = await startRedis()
    try {
      const script = `
        ${unhurried}
        for (let i = 0; i < 100; i++) aiCacheService.setSearchResults('k' + i, i)
        await aiCacheService.ready
        await aiCacheService.close()
        console.log('last line')`
      expect(await run(script, { REDIS_URL: server.url })).toEqual({ code: 0, out: 'last line', err: '' })
      expect(((await server.cli('KEYS', 'ai:search:1:{*}:v')) as string[]).length).toBe(100)
    } finally {
      await server.stop()
    }
  })
})
