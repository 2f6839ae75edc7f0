import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../../core/test/redis/server/index.js'
import { startUpstream, type Upstream } from '../upstream/index.js'

/** Who is held up for as long as a lease lasts counts as dead, and another one asks in its place. */
const longLeases: Plugin = {
  name: 'long leases',
  setup: ({ onLoad }) => onLoad({ filter: /redis\/lease-time\.ts$/ }, () => ({ contents: 'export const LEASE_MS = 600_000' })),
}

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** A process with an LLM cache: asks as often at once as it is told to, and says so when it has asked and what it was answered. */
const PROGRAM = `
import { createLLMCache } from './ai.mjs'
const [redis, url] = process.argv.slice(2)
const llm = createLLMCache({ redis, scope: 'public', deadline: '30s' })
const fetch = llm.fetch()
const body = JSON.stringify({ model: 'gpt-4o-mini', stream: true, messages: [{ role: 'user', content: 'The capital of France?' }] })
process.on('message', async (times) => {
  const asked = Array.from({ length: times }, async () => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return { status: response.headers.get('cache-status'), text: await response.text() }
  })
  process.send('asked')
  process.send({ answers: await Promise.all(asked), stats: llm.stats() })
})
process.on('disconnect', () => llm.close())
process.send('ready')
`

interface Told {
  readonly answers: readonly { readonly status: string; readonly text: string }[]
  readonly stats: { readonly hits: number; readonly misses: number; readonly joins: number }
}

let directory = ''
let redis: RedisServer
let upstream: Upstream
const children: ChildProcess[] = []

describeWithRedis('two processes', () => {
  beforeAll(async () => {
    redis = await startRedis()
    upstream = await startUpstream()
    // Inside the package, so that the client of Redis is found from there.
    directory = await mkdtemp(join(at('../../../node_modules'), '.tiercel-'))
    await build({
      entryPoints: [at('../../../src/index.ts')],
      outfile: join(directory, 'ai.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      alias: { '@tiercel/core/connection': at('../../../../core/src/connection.ts'), '@tiercel/core': at('../../../../core/src/index.ts') },
      external: ['redis', 'ioredis'],
      plugins: [longLeases],
      logLevel: 'error',
    })
    await writeFile(join(directory, 'program.mjs'), PROGRAM)
  })
  afterAll(async () => {
    await Promise.all(children.filter((child) => child.connected).map((child) => (child.disconnect(), once(child, 'exit'))))
    await rm(directory, { recursive: true, force: true })
    await upstream[Symbol.asyncDispose]()
    await redis.stop()
  })

  async function start(): Promise<ChildProcess> {
    const child = fork(join(directory, 'program.mjs'), [redis.url, `${upstream.v1}/chat/completions`], { execArgv: [] })
    children.push(child)
    await once(child, 'message')
    return child
  }

  it('that ask the same a hundred times at once make one call of the model, and a third is answered from Redis', async () => {
    const turn = upstream.next({ holdAfter: 3 })
    const asking = await Promise.all([start(), start()])
    const told = asking.map((child) => {
      const all: Promise<unknown[]>[] = []
      child.send(50)
      all.push(once(child, 'message'))
      return all
    })
    await Promise.all([turn.held, ...told.flat()])
    const answered = asking.map(async (child) => ((await once(child, 'message')) as [Told])[0])
    turn.release()
    const [here, there] = await Promise.all(answered)
    const texts = new Set([...(here?.answers ?? []), ...(there?.answers ?? [])].map(({ text }) => text))
    expect(upstream.count()).toBe(1)
    expect(texts.size).toBe(1)
    expect([...texts][0]).toContain('[DONE]')
    expect([here?.stats.misses, there?.stats.misses].toSorted()).toEqual([0, 1])
    const third = await start()
    third.send(1)
    await once(third, 'message')
    const [{ answers }] = (await once(third, 'message')) as [Told]
    expect(answers).toEqual([{ status: 'tiercel-llm; hit', text: [...texts][0] }])
    expect(upstream.count()).toBe(1)
  }, 300_000)
})
