import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { IncomingMessage, ServerResponse } from 'node:http'
import fetch from 'node-fetch'
import { vi } from 'vitest'

const require = createRequire(import.meta.url)

/** What is used of the suite, which has no types. */
export interface Suite {
  readonly suites: readonly CacheTestSuite[]
  run(baseUrl: string): Promise<void>
  results(): Readonly<Record<string, CacheTestResult>>
  /** Of its origin, by the first part of the path. */
  readonly handlers: ReadonlyMap<string, OriginHandler>
}

export type OriginHandler = (path: string[], request: IncomingMessage, response: ServerResponse) => void

interface Runner {
  runTests(suites: readonly CacheTestSuite[], ...settings: unknown[]): Promise<void>
  getResults(): Readonly<Record<string, CacheTestResult>>
}

/** A checkout of the suite's repository, in place of the release on npm. */
export const checkout = process.env.HTTP_CACHE_TESTS || undefined

export async function loadSuite(): Promise<Suite> {
  const root = checkout === undefined ? dirname(require.resolve('http-cache-tests/package.json')) : resolve(checkout)
  const engine = checkout === undefined ? root : join(root, 'test-engine')
  const { runTests, getResults } = (await load(join(engine, 'client/runner.mjs'))) as Runner
  const { default: suites } = (await load(join(root, 'tests/index.mjs'))) as { default: readonly CacheTestSuite[] }
  const handlers = new Map<string, OriginHandler>()
  for (const name of ['config', 'state', 'test']) {
    const { default: handle } = (await load(join(engine, `server/handle-${name}.mjs`))) as { default: OriginHandler }
    handlers.set(name, handle)
  }
  return {
    suites,
    async run(baseUrl) {
      // The release takes the fetch of its command line: Node's adds headers of its own, which some tests count.
      if (checkout === undefined) return runTests(suites, fetch, false, baseUrl)
      // The newest takes the global one, and hands it dispatchers of its own undici, which may be another version than Node's.
      const undici = (await load(createRequire(join(root, 'tests/index.mjs')).resolve('undici'))) as { fetch: typeof globalThis.fetch }
      vi.stubGlobal('fetch', undici.fetch)
      await runTests(suites, false, baseUrl)
    },
    results: getResults,
    handlers,
  }
}

const load = (file: string): Promise<unknown> => import(pathToFileURL(file).href)
