import { describe, expect, it } from 'vitest'
import { inOwnProcess } from './own-process.js'

const down = `() => Promise.reject(new Error('down'))`
const soon = `(ms = 0) => new Promise((resolve) => setTimeout(resolve, ms))`

/** Each makes something fail that nobody waits for any more. An unhandled rejection ends a process with code 1. */
const scripts: Record<string, string> = {
  'a load that fails after a timeout': `
    const cache = createCache({ hardTimeout: 1 })
    await cache.getOrSet('k', async () => { await soon(20); throw new Error('late') }).catch(() => {})
    await soon(40)`,
  'a load that fails after its caller gave up': `
    const cache = createCache()
    const patience = new AbortController()
    const call = cache.getOrSet('k', async () => { await soon(10); throw new Error('late') }, { signal: patience.signal }).catch(() => {})
    patience.abort()
    await call
    await soon(30)`,
  'a load that ends with its signal after the cache was closed': `
    const cache = createCache({ hardTimeout: 5 })
    const call = cache.getOrSet('k', ({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))).catch(() => {})
    await soon(20)
    await cache.close()
    await call`,
  'a renewal that fails': `
    const cache = createCache({ ttl: '1h', refresh: 0.000001 })
    await cache.set('k', 1)
    await soon(10)
    await cache.getOrSet('k', ${down})
    await soon()`,
  'a batch in which one call rejects for many keys': `
    const cache = createCache()
    await cache.getOrSetMany(['a', 'b', 'c'], ${down}).catch(() => {})
    await cache.getOrSetMany(['a', 'b', ''], ${down}).catch(() => {})
    await cache.getMany(['', '', 5]).catch(() => {})
    await soon()`,
  'a load that fails behind something stale, told to a logger': `
    const logger = { warn: () => { throw new Error('logger') }, error() {} }
    const cache = createCache({ ttl: 5, grace: '1h', logger })
    await cache.set('k', 1)
    await soon(20)
    await cache.getOrSet('k', ${down})
    await soon()`,
  'listeners that throw and reject': `
    const cache = createCache()
    for (const name of ['set', 'error', 'load', 'miss']) {
      cache.on(name, async () => { throw new Error('async listener') })
      cache.on(name, () => { throw new Error('listener') })
    }
    await cache.getOrSet('k', () => 1)
    await cache.set('k', () => {})
    await soon()`,
  'an onError that throws': `
    const cache = createCache({ onError: () => { throw new Error('onError') } })
    await cache.set('k', () => {})
    await soon()`,
}

describe('a process', () => {
  const run = inOwnProcess()

  it.each(Object.entries(scripts))('survives %s', async (_, script) => {
    expect(await run(`const soon = ${soon}\n${script}\nconsole.log('survived')`)).toEqual({ code: 0, out: 'survived', err: '' })
  })

  // What an async onError rejects with is handled by nobody, and ends the process.
  it('survives an async onError that rejects', async () => {
    const script = `
      const soon = ${soon}
      const cache = createCache({ onError: async () => { throw new Error('onError') } })
      await cache.set('k', () => {})
      await soon()
      console.log('survived')`
    expect(await run(script)).toEqual({ code: 0, out: 'survived', err: '' })
  })
})
