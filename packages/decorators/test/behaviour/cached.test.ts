import { expect, it } from 'vitest'
import { Cached, cacheOf } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

it('runs a method once for the same arguments, and again for others', async () => {
  cacheForTest()
  class Trips {
    runs: string[] = []
    @Cached()
    async find(id: string) {
      this.runs.push(id)
      return { id }
    }
  }
  const trips = new Trips()
  expect(await trips.find('1')).toEqual({ id: '1' })
  expect(await trips.find('1')).toBe(await trips.find('1'))
  expect(await trips.find('2')).toEqual({ id: '2' })
  expect(trips.runs).toEqual(['1', '2'])
})

it('runs a method once for callers that come together', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(id: string) {
      runs++
      await new Promise((resolve) => setImmediate(resolve))
      return id
    }
  }
  const trips = new Trips()
  expect(await Promise.all(['1', '1', '1'].map((id) => trips.find(id)))).toEqual(['1', '1', '1'])
  expect(runs).toBe(1)
})

it.each([[null], [0], [''], [false], [Number.NaN], [[]]])('keeps %j like any other result', async (result) => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(): Promise<unknown> {
      runs++
      return result
    }
  }
  const trips = new Trips()
  expect([await trips.find(), await trips.find()]).toEqual([result, result])
  expect(runs).toBe(1)
})

it('does not keep undefined', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find() {
      runs++
      return undefined
    }
  }
  const trips = new Trips()
  expect([await trips.find(), await trips.find()]).toEqual([undefined, undefined])
  expect(runs).toBe(2)
})

it('caches what is not written as async and returns a promise', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    find(id: string): Promise<string> {
      runs++
      return Promise.resolve(id)
    }
  }
  const trips = new Trips()
  expect([await trips.find('1'), await trips.find('1')]).toEqual(['1', '1'])
  expect(runs).toBe(1)
})

it('keeps the name and the number of parameters of the method', () => {
  class Trips {
    @Cached()
    async find(_id: string, _page: number) {
      return 1
    }
  }
  expect(new Trips().find.name).toBe('find')
  expect(new Trips().find.length).toBe(2)
})

it('shares what is cached among the instances of a class, and runs the method on the one it was called on', async () => {
  cacheForTest()
  class Trips {
    constructor(readonly source: string) {}
    @Cached()
    async find(id: string) {
      return `${this.source} ${id}`
    }
  }
  const [one, other] = [new Trips('one'), new Trips('other')]
  expect(await one.find('1')).toBe('one 1')
  expect(await other.find('1')).toBe('one 1')
  expect(await other.find('2')).toBe('other 2')
})

it('keeps nothing of one method for another', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    async find(id: string) {
      return `trip ${id}`
    }
    @Cached()
    async owner(id: string) {
      return `owner of ${id}`
    }
  }
  const trips = new Trips()
  expect([await trips.find('1'), await trips.owner('1')]).toEqual(['trip 1', 'owner of 1'])
})

it('has a cache made without being told to, when there is none', async () => {
  let runs = 0
  class Trips {
    @Cached()
    async find(id: string) {
      runs++
      return id
    }
  }
  const trips = new Trips()
  await trips.find('of the default cache')
  await trips.find('of the default cache')
  expect(runs).toBe(1)
  expect(cacheOf(trips).find.cache.name).toBe('tiercel')
})

it('takes private and protected methods of TypeScript, generic ones and rest parameters', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    private async hidden(id: string) {
      runs++
      return id
    }
    @Cached()
    protected async half<T>(value: T): Promise<T> {
      runs++
      return value
    }
    @Cached()
    async rest(...ids: string[]) {
      runs++
      return [await this.hidden('1'), await this.half('2'), ...ids]
    }
  }
  const trips = new Trips()
  expect(await trips.rest('3', '4')).toEqual(['1', '2', '3', '4'])
  expect(await trips.rest('5')).toEqual(['1', '2', '5'])
  expect(runs).toBe(4)
})
