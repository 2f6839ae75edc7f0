import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll } from 'vitest'

export interface Ended {
  /** The exit code; null when it had to be ended. */
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Long past what any of the scripts takes. A process that is still there then does not end by itself. */
const TOO_LONG = 50_000

/** Runs a script that begins with `createCache` in scope in a process of its own. */
export function inOwnProcess(): (script: string, ...flags: string[]) => Promise<Ended> {
  let directory = ''
  let entry = ''

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tiercel-'))
    entry = join(directory, 'core.mjs')
    await build({
      entryPoints: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
      outfile: entry,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    })
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  return (script, ...flags) =>
    new Promise((resolve, reject) => {
      const source = `import { createCache } from ${JSON.stringify(pathToFileURL(entry).href)}\n${script}`
      const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', source], { stdio: ['ignore', 'pipe', 'pipe'], timeout: TOO_LONG })
      let out = ''
      let err = ''
      child.stdout.on('data', (chunk) => (out += String(chunk)))
      child.stderr.on('data', (chunk) => (err += String(chunk)))
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, out: out.trim(), err: err.trim() }))
    })
}
