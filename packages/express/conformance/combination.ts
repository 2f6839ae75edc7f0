import { createCache, type CacheOptions } from '@tiercel/core'
import { cacheResponses } from '@tiercel/express'
import { expect, it, onTestFinished, vi } from 'vitest'
import { describeWithRedis, useRedis } from '../../core/test/redis/server/index.js'
import type { ExpressModule } from '../test/safety/versions.js'
import { deviations, deviationsOfCheckout } from './deviations.js'
import { passed, type Count } from './score.js'
import { runSuite, type Application } from './run-suite.js'
import { checkout } from './suite.js'

const expected = checkout === undefined ? deviations : deviationsOfCheckout

/** The suite takes about 20 seconds, the newest a minute, most of which it waits for responses to grow old. */
const TIMEOUT_MS = 120_000

/** Defines the test of one combination, in a file of its own: a process can run the suite once. */
export function inMemory(name: string, express: ExpressModule): void {
  it(
    `does on ${name} in memory what the suite asks for, but for the deviations`,
    async () => {
      expect(await failures(`${name}, in memory`, [await application(express, { redis: false })])).toEqual(expected)
    },
    TIMEOUT_MS,
  )
}

/** Two applications share a Redis, and the requests of a test go to them in turn: what one keeps the other has to find. */
export function withRedis(name: string, express: ExpressModule): void {
  describeWithRedis(`${name} with Redis`, () => {
    it(
      'does what the suite asks for, but for the deviations',
      async () => {
        const redis = await useRedis()
        onTestFinished(() => redis.stop())
        const options: CacheOptions = { redis: redis.url, name: `conformance-${process.pid}`, deadline: '5s' }
        const applications = [await application(express, options), await application(express, options)]
        expect(await failures(`${name}, with Redis`, applications)).toEqual(expected)
      },
      TIMEOUT_MS,
    )
  })
}

async function application(express: ExpressModule, options: CacheOptions): Promise<Application> {
  const cache = createCache(options)
  onTestFinished(() => cache.close())
  await vi.waitUntil(() => cache.health().healthy, { timeout: 10_000 })
  return (handler) => {
    const app = express()
    // Clients of the suite expect to be obeyed, and its origin means what it says of errors.
    app.use(cacheResponses({ cache, requestDirectives: true, errors: true, cookies: 'ignore', targeted: ['CDN-Cache-Control'] }))
    app.use(handler)
    return app
  }
}

/** Prints the figures, and gives the names of what failed, in order. */
async function failures(name: string, applications: readonly Application[]): Promise<string[]> {
  const { required, optimal } = await runSuite(applications)
  const failed = [...required.failed, ...optimal.failed]
  process.stdout.write(`\n${name}: ${figures('required', required)}, ${figures('optimal', optimal)}\n`)
  for (const { id, why } of failed) process.stdout.write(`  ${id}: ${why}\n`)
  return failed.map(({ id }) => id).sort()
}

const figures = (kind: string, count: Count): string => `${kind} ${passed(count)} of ${count.total} (${((100 * passed(count)) / count.total).toFixed(1)}%)`
