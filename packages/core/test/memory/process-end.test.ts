import { describe, expect, it } from 'vitest'
import { inOwnProcess } from './own-process.js'

const hang = '() => new Promise(() => {})'

/** Each leaves something under way and does not close the cache. */
const scripts: Record<string, string> = {
  'an idle cache with entries': `await createCache().set('k', 1, { ttl: '1h' })`,
  'a load that hangs': `void createCache().getOrSet('k', ${hang})`,
  'a load that hangs, waited for with a hard timeout of an hour': `void createCache({ hardTimeout: '1h' }).getOrSet('k', ${hang})`,
  'a load that hangs behind a stale value': `
    const cache = createCache({ ttl: 1, grace: '1h', softTimeout: '1m', hardTimeout: '1h' })
    await cache.set('k', 1)
    while (await cache.has('k')) await new Promise((resolve) => setTimeout(resolve, 1))
    void cache.getOrSet('k', ${hang})`,
  'a load that goes on after a timeout': `
    const cache = createCache({ hardTimeout: 1 })
    const alive = setTimeout(() => {}, 60_000)
    await cache.getOrSet('k', ${hang}).catch(() => clearTimeout(alive))`,
  'a renewal that hangs': `
    const cache = createCache({ ttl: '1h', refresh: 0.000001 })
    await cache.set('k', 1)
    await new Promise((resolve) => setTimeout(resolve, 10))
    await cache.getOrSet('k', ${hang})`,
  'a batch that hangs': `void createCache({ hardTimeout: '1h' }).getOrSetMany(['a', 'b'], ${hang})`,
  'a closed cache with a load that hangs': `
    const cache = createCache({ hardTimeout: '1h' })
    void cache.getOrSet('k', ${hang})
    await cache.close()`,
  'namespaces and listeners': `
    const cache = createCache()
    cache.on('hit', () => {})
    await cache.namespace('users').set('k', 1)`,
}

describe('a process', () => {
  const run = inOwnProcess()

  it.each(Object.entries(scripts))('ends by itself with %s', async (_, script) => {
    expect(await run(`${script}\nconsole.log('last line')`)).toEqual({ code: 0, out: 'last line', err: '' })
  })

  it('is told by a hard timeout what it waits for, as long as it has something else to do', async () => {
    const script = `
      const server = setInterval(() => {}, 60_000)
      await createCache({ hardTimeout: 1 }).getOrSet('k', ${hang}).catch((error) => console.log(error.code))
      clearInterval(server)`
    expect(await run(script)).toEqual({ code: 0, out: 'TIERCEL_LOAD_TIMEOUT', err: '' })
  })
})
