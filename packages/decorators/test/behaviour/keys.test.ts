import { expect, it } from 'vitest'
import { Cached, cacheOf } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

const invalid = (saying: string) => expect.objectContaining({ code: 'TIERCEL_INVALID_KEY', message: expect.stringContaining(saying) })

function ofAnything() {
  const runs: unknown[][] = []
  class Trips {
    @Cached()
    async find(...args: unknown[]) {
      runs.push(args)
      return runs.length
    }
    @Cached()
    async page(_id?: unknown, _page?: unknown): Promise<number> {
      return runs.push([])
    }
    @Cached()
    async filter(_id: unknown, _filter: unknown): Promise<number> {
      return runs.push([])
    }
  }
  return { trips: new Trips(), runs }
}

it('is readable: class, method and arguments', () => {
  const { trips } = ofAnything()
  const { find } = cacheOf(trips)
  expect(find.key('42')).toBe("Trips.find:42")
  expect(find.key('42', { sort: 'name', page: 1 }, [1n, null])).toBe("Trips.find('42',(page:1,sort:'name'),[1n,null])")
  expect(find.key()).toBe('Trips.find()')
})

it('distinguishes arguments that read alike', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  const calls = [[1], ['1'], [1n], [null], [undefined], [], ['undefined'], [0], [-0], [Number.NaN], ['a', 'b'], ['a,b'], [['a', 'b']], [new Map([['a', 1]])], [new Map([['b', 1]])], [new Set([9])], [new Date(1)], [{}], [[]], [new Uint8Array(1)]]
  for (const args of calls) await trips.find(...args)
  expect(runs).toEqual(calls)
})

it('finds an object again whatever the order of its properties', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  await trips.find({ a: 1, b: { c: 2, d: 3 } })
  await trips.find({ b: { d: 3, c: 2 }, a: 1 })
  expect(runs).toHaveLength(1)
})

it('takes a call with and without undefined at the end for the same, but not where the number of arguments can make a difference', () => {
  const { trips } = ofAnything()
  const { page, find } = cacheOf(trips)
  expect(page.key('1', undefined)).toBe(page.key('1'))
  expect(page.key(undefined, undefined)).toBe(page.key())
  expect(page.key(undefined, 1)).not.toBe(page.key(1))
  expect(find.key('1', undefined)).not.toBe(find.key('1'))
})

it('refuses a call with what has no identity, and names the parameter', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  class Account {
    id = 1
  }
  await expect(trips.filter('1', () => true)).rejects.toThrow(invalid("Trips.filter: the parameter '_filter' is or holds a function"))
  await expect(trips.filter({ deep: [new Account()] }, 1)).rejects.toThrow(invalid("the parameter '_id' is or holds an instance of Account"))
  await expect(trips.filter(1, Symbol('s'))).rejects.toThrow(invalid('a symbol'))
  expect(() => cacheOf(trips).filter.key(1, () => 1)).toThrow(invalid('_filter'))
  expect(runs).toEqual([])
})

it('is what key gives, which can be any value, in place of the arguments', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached({ key: (id: string, _trace: () => void) => id.toLowerCase() })
    async find(id: string, trace: () => void) {
      trace()
      return `${id} ${++runs}`
    }
    @Cached({ key: (id: string, page: number) => ({ page, id }) })
    async page(id: string, page: number) {
      return `${id} ${page} ${++runs}`
    }
    @Cached({ key: () => () => 1 })
    async wrong() {
      return 1
    }
  }
  const trips = new Trips()
  expect(await trips.find('A', () => {})).toBe('A 1')
  expect(await trips.find('a', () => {})).toBe('A 1')
  expect(cacheOf(trips).find.key('A', () => {})).toBe("Trips.find:a")
  expect(cacheOf(trips).page.key('A', 2)).toBe("Trips.page((id:'A',page:2))")
  await expect(trips.wrong()).rejects.toThrow(invalid('what its `key` gives is or holds a function'))
})

it('is called with the object, so that it can be part of the key', async () => {
  cacheForTest()
  class Trips {
    constructor(readonly tenant: string) {}
    @Cached({
      key(this: unknown, id: string) {
        return [(this as Trips).tenant, id]
      },
    })
    async find(id: string) {
      return `${this.tenant} ${id}`
    }
  }
  expect([await new Trips('a').find('1'), await new Trips('b').find('1')]).toEqual(['a 1', 'b 1'])
})

it('is hashed when it is long, and still tells arguments apart', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  const long = 'x'.repeat(100_000)
  const { find } = cacheOf(trips)
  expect(find.key(`${long}1`).length).toBeLessThan(100)
  expect(find.key(`${long}1`)).not.toBe(find.key(`${long}2`))
  await trips.find(`${long}1`)
  await trips.find(`${long}1`)
  expect(runs).toHaveLength(1)
})

it.each([1, 1023, 1024, 1025, 2000])('is one for a text of %d characters, with and without undefined behind it', (length) => {
  const { page } = cacheOf(ofAnything().trips)
  expect(page.key('x'.repeat(length), undefined)).toBe(page.key('x'.repeat(length)))
})

it('takes a text as it is, also one that reads like the form of something else', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  const calls = [[''], ["'a'"], ['a'], [['a']], ["'a','b'"], ['a', 'b'], ['(a:1)'], [{ a: 1 }], ['1)'], ['#x'], [':1'], [undefined], ['undefined']]
  for (const args of calls) await trips.find(...args)
  for (const args of calls) await trips.find(...args)
  expect(runs).toEqual(calls)
})

it('takes text that is not well-formed, which the core refuses as a key', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  await trips.find('\uD800')
  await trips.find('\uD801')
  await trips.find('\uD800')
  expect(runs).toHaveLength(2)
})

it('takes instances that say what they are', async () => {
  cacheForTest()
  const { trips, runs } = ofAnything()
  class Money {
    readonly #cents: number
    constructor(cents: number) {
      this.#cents = cents
    }
    toCacheKey() {
      return this.#cents
    }
  }
  await trips.find(new Money(1))
  await trips.find(new Money(1))
  await trips.find(new Money(2))
  expect(runs).toHaveLength(2)
})

it('finds an object of many properties again whatever their order', () => {
  const names = Array.from({ length: 40 }, (_, i) => `field${i}`)
  const { find } = cacheOf(ofAnything().trips)
  const written = (order: readonly string[]) => find.key(Object.fromEntries(order.map((name) => [name, 1])))
  expect(written(names.toReversed())).toBe(written(names))
})

it('hands on what a getter of an argument throws', async () => {
  cacheForTest()
  const { trips } = ofAnything()
  const argument = {
    get name(): string {
      throw new RangeError('not now')
    },
  }
  await expect(trips.find(argument)).rejects.toThrow(RangeError)
})
