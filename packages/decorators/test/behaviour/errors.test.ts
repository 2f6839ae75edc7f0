import { expect, it } from 'vitest'
import { CachePut, Cached, Invalidates, cacheOf, cachedMethods, useCache } from '@tiercel/decorators'
import { anotherCache, cacheForTest } from '../ground.js'

class NotFound extends Error {}

it('passes on the very error of the method, after running it once', async () => {
  cacheForTest()
  const error = new NotFound('no such trip')
  const { stack } = error
  let runs = 0
  class Trips {
    @Cached()
    async find(_id: string): Promise<string> {
      runs++
      throw error
    }
  }
  await expect(new Trips().find('1')).rejects.toBe(error)
  expect(runs).toBe(1)
  expect(error.stack).toBe(stack)
})

it('keeps no error, and shares it only with those who wait for that run', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(_id: string): Promise<number> {
      if (++runs === 1) throw new Error('first')
      return runs
    }
  }
  const trips = new Trips()
  const results = await Promise.allSettled([trips.find('1'), trips.find('1')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await trips.find('1')).toBe(2)
})

it('rejects with what a method throws at once', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    find(_id: string): Promise<string> {
      throw new NotFound('at once')
    }
  }
  const call = new Trips().find('1')
  await expect(call).rejects.toThrow(NotFound)
})

it('shows the method in the stack of its error', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    async find(_id: string): Promise<string> {
      throw new Error('here')
    }
  }
  const { stack } = (await new Trips().find('1').catch((error: unknown) => error)) as Error
  expect(stack).toContain('errors.test.ts')
})

it('runs the method beside a cache that was closed, and neither fails nor stops what invalidates and puts', async () => {
  const cache = cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(id: string): Promise<string> {
      return `${id} ${++runs}`
    }
    @Invalidates({ room: 'r', method: 'find' })
    async rename() {
      return 'renamed'
    }
    @CachePut({ method: 'find', args: (id: string) => [id] })
    async put(id: string) {
      return id
    }
  }
  const trips = new Trips()
  await trips.find('1')
  await cache.close()
  expect([await trips.find('1'), await trips.find('1')]).toEqual(['1 2', '1 3'])
  expect([await trips.rename(), await trips.put('1')]).toEqual(['renamed', '1'])
  expect(cachedMethods()).toMatchObject([{ calls: 3, loads: 1, uncached: 2 }])
})

it('serves a result that the cache cannot keep', async () => {
  const errors: unknown[] = []
  const cache = cacheForTest()
  cache.on('error', ({ error }) => errors.push(error))
  class Trips {
    @Cached()
    async find() {
      return { open: () => 'opened' }
    }
  }
  expect((await new Trips().find()).open()).toBe('opened')
  expect(errors).toMatchObject([{ code: 'TIERCEL_UNCACHEABLE' }])
})

it('is not held up by a Redis that is not there', async () => {
  useCache(anotherCache({ redis: 'redis://127.0.0.1:1', deadline: 20 }))
  class Trips {
    @Cached()
    async find(id: string) {
      return id
    }
    @Invalidates({ room: (id: string) => id })
    async rename(id: string) {
      return id
    }
  }
  const trips = new Trips()
  expect(await trips.find('1')).toBe('1')
  expect(await trips.rename('1')).toBe('1')
})

it('rejects with what a function among the options throws', async () => {
  cacheForTest()
  const fails = (): never => {
    throw new Error('in a callback')
  }
  class Trips {
    @Cached({ key: fails })
    async byKey() {
      return 1
    }
    @Cached({ when: fails })
    async byWhen() {
      return 1
    }
  }
  const trips = new Trips()
  await expect(trips.byKey()).rejects.toThrow('in a callback')
  await expect(trips.byWhen()).rejects.toThrow('in a callback')
  expect(() => cacheOf(trips).byKey.key()).toThrow('in a callback')
})
