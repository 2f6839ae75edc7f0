import { expect, it, vi } from 'vitest'
import { describeCaches } from './harness.js'
import { heard } from './heard.js'

const down = () => Promise.reject(new Error('down'))

describeCaches('onError and logger', ({ make, pass }) => {
  it('are not told of an error that was thrown at the caller', async () => {
    const onError = vi.fn()
    const logger = { warn: vi.fn(), error: vi.fn() }
    const cache = make({ onError, logger })
    await expect(cache.getOrSet('k', down)).rejects.toThrow('down')
    await expect(cache.get('')).rejects.toThrow('key')
    await pass(0)
    expect([onError, logger.warn, logger.error].map((each) => each.mock.calls)).toEqual([[], [], []])
  })

  it('are told per call by the onError of the call, else by that of the namespace or the cache', async () => {
    const told: string[] = []
    const telling = (who: string) => () => void told.push(who)
    const cache = make({ onError: telling('cache') })
    const users = cache.namespace('users', { onError: telling('namespace') })
    await cache.set('k', () => {})
    await users.set('k', () => {})
    await users.namespace('admins').set('k', () => {})
    await users.set('k', () => {}, { onError: telling('call') })
    expect(told).toEqual(['cache', 'namespace', 'namespace', 'call'])
  })

  it('may throw without anybody feeling it', async () => {
    const onError = () => {
      throw new Error('in onError')
    }
    const logger = {
      warn: () => {
        throw new Error('in the logger')
      },
      error: () => {},
    }
    const cache = make({ ttl: '1s', grace: '1h', onError, logger })
    const errors = heard(cache, 'error')
    expect(await cache.set('k', () => {})).toBe(false)
    await cache.set('k', 'old')
    await pass(1000)
    expect(await cache.getOrSet('k', down)).toBe('old')
    expect(errors.map(({ during }) => during)).toEqual(['store', 'listener', 'load', 'listener'])
  })

  it('are told of a background load that failed by the call that started it', async () => {
    const onError = vi.fn()
    const cache = make({ ttl: '10s', refresh: 0.5 })
    await cache.set('k', 'old')
    await pass(6000)
    await cache.getOrSet('k', down, { onError })
    await pass(0)
    expect(onError).toHaveBeenCalledTimes(1)
  })
})
