import { once } from 'node:events'
import { expect, it } from 'vitest'
import { CacheConfig, Cached, cachedMethods } from '@tiercel/decorators'
import '../ground.js'

it('warns of a minified name when the class is defined, though it is refused only at the first use', async () => {
  const warned = once(process, 'warning')
  class g {
    @Cached()
    async find() {
      return 1
    }
  }
  const [warning] = (await warned) as [Error]
  expect(warning).toMatchObject({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining("called 'g'") })
  await expect(new g().find()).rejects.toBeInstanceOf(Error)
})

it('does not warn of one that @CacheConfig replaces', async () => {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  @CacheConfig({ name: 'Trips' })
  class g {
    @Cached()
    async find() {
      return 1
    }
  }
  // Warnings are given at the next tick after the microtask that looks.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', listen)
  expect(warnings).toEqual([])
  expect(await new g().find()).toBe(1)
})

it('refuses a second class of one name at its definition, with nobody making an instance', () => {
  const define = () => {
    class Repository {
      @Cached()
      async find() {
        return 1
      }
    }
    return Repository
  }
  define()
  expect(define).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
})

it('lists methods before there is any instance', () => {
  class Trips {
    @Cached()
    async find() {
      return 1
    }
  }
  expect(Trips.name).toBe('Trips')
  expect(cachedMethods()).toMatchObject([{ name: 'Trips.find', calls: 0 }])
})
