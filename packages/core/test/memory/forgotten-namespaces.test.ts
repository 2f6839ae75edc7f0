import { describe, expect, it } from 'vitest'
import { inOwnProcess } from './own-process.js'

const collected = `async () => {
  // References read in a turn of the event loop are held until its end.
  for (let i = 0; i < 3; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
}`

describe('a namespace nobody holds any more', () => {
  const run = inOwnProcess()

  it('is let go of, and its entries are found again by whoever opens it next', async () => {
    const script = `
      const collected = ${collected}
      const cache = createCache()
      const refs = []
      for (let i = 0; i < 100; i++) {
        const tenant = cache.namespace('tenant-' + i)
        await tenant.set('k', i, { tags: ['t'] })
        refs.push(new WeakRef(tenant))
      }
      await collected()
      console.log(refs.filter((ref) => ref.deref() !== undefined).length)
      console.log(await cache.namespace('tenant-7').get('k'))
      await cache.namespace('tenant-8').invalidateTag('t')
      console.log(await cache.namespace('tenant-8').get('k'))
      await cache.invalidate({ all: true })
      console.log(await cache.namespace('tenant-9').get('k'))`
    const { code, out, err } = await run(script, '--expose-gc')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [held, ...values] = out.split('\n')
    // The last one may still be in a register.
    expect(Number(held)).toBeLessThanOrEqual(1)
    expect(values).toEqual(['7', 'undefined', 'undefined'])
  })

  it('is remembered with the options it was given', async () => {
    const script = `
      const collected = ${collected}
      const cache = createCache()
      cache.namespace('users', { ttl: '7h' })
      cache.namespace('users').namespace('admins')
      await collected()
      await cache.namespace('users').namespace('admins').set('k', 1)
      console.log(await cache.namespace('users:admins').ttl('k') > 21_600_000, await cache.namespace('users:admins').ttl('k') <= 25_200_000)`
    expect(await run(script, '--expose-gc')).toEqual({ code: 0, out: 'true true', err: '' })
  })
})
