import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'

const packages = resolve(import.meta.dirname, '../../..')

/** Asks in a process, and in a folder, from which the package cannot be found. */
const ASKING = `
  import { createServer } from 'node:http'
  import { operatorRouter } from './operator.mjs'
  const router = operatorRouter({ authorize: () => true, sources: {} })
  const server = createServer((req, res) => router(req, res, (error) => res.end(String(error)))).listen(0, '127.0.0.1', async () => {
    const ask = async (path) => {
      const response = await fetch('http://127.0.0.1:' + server.address().port + path)
      return [response.status, await response.json()]
    }
    console.log(JSON.stringify([await ask('/metrics'), await ask('/stats')]))
    server.closeAllConnections()
    server.close()
  })`

it('says what to install for Prometheus, and does all else without it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tiercel-operator-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await build({
    entryPoints: [join(packages, 'express/src/operator/index.ts')],
    outfile: join(folder, 'operator.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '@tiercel/core': join(packages, 'core/src/index.ts') },
    external: ['prom-client', 'redis', 'ioredis'],
    logLevel: 'error',
  })
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', ASKING], { cwd: folder, timeout: 50_000 })

  const [metrics, stats] = JSON.parse(stdout) as [[number, unknown], [number, unknown]]
  expect(metrics).toEqual([501, { error: { code: 'TIERCEL_MISSING_PEER', message: expect.stringContaining('npm install prom-client') as string } }])
  expect(stats).toEqual([200, { sources: {} }])
})
