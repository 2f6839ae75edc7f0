import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'

const core = join(import.meta.dirname, '../..')

/** Runs a script beside both entry points, in a folder from which the package of OpenTelemetry can be found, or not. */
async function run(script: string, { found }: { found: boolean }): Promise<unknown> {
  const cached = join(core, 'node_modules/.cache')
  await mkdir(cached, { recursive: true })
  const folder = await mkdtemp(join(found ? cached : tmpdir(), 'tiercel-opentelemetry-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await build({
    entryPoints: { core: join(core, 'src/index.ts'), opentelemetry: join(core, 'src/opentelemetry.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    external: ['@opentelemetry/api', 'redis', 'ioredis'],
    logLevel: 'error',
  })
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, timeout: 50_000 })
  return JSON.parse(stdout)
}

/** How many files of OpenTelemetry have been loaded: what Node takes of its package is CommonJS. */
const LOADED = `
  import { createRequire } from 'node:module'
  const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('@opentelemetry')).length`

it('loads OpenTelemetry when a cache is instrumented, and not before', async () => {
  const script = `${LOADED}
    import { createCache } from './core.mjs'
    import { instrument } from './opentelemetry.mjs'
    const cache = createCache({ redis: false })
    await cache.getOrSet('k', () => 'v')
    await cache.getOrSetMany(['a'], (missing) => missing.map((key) => [key, key]))
    await cache.invalidate({ all: true })
    const before = loaded()
    await instrument(cache)
    console.log(JSON.stringify([before, loaded() > 0]))`
  expect(await run(script, { found: true })).toEqual([0, true])
})

it('says what to install where it cannot be found, and leaves the cache as it was', async () => {
  const script = `
    import { createCache } from './core.mjs'
    import { instrument } from './opentelemetry.mjs'
    const cache = createCache({ redis: false })
    const { code, message } = await instrument(cache).catch((error) => error)
    console.log(JSON.stringify({ code, message, value: await cache.getOrSet('k', () => 'v') }))`
  expect(await run(script, { found: false })).toEqual({
    code: 'TIERCEL_MISSING_PEER',
    message: expect.stringContaining('npm install @opentelemetry/api') as string,
    value: 'v',
  })
})
