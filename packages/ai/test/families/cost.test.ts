import { queryObjects } from 'node:v8'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Entry } from '../../src/families/entry.js'
import { ExpiryQueue, type Expiring } from '../../src/families/expiry-queue.js'
import { Family } from '../../src/families/family.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Counts how often it is compared. */
class Counted implements Expiring {
  static compared = 0
  place = -1

  constructor(readonly time: number) {}

  get deadline(): number {
    Counted.compared++
    return this.time
  }
}

describe('the queue of what expires', () => {
  it('gives the earliest first, also when some are taken out of the middle', () => {
    const queue = new ExpiryQueue<Counted>()
    const items = Array.from({ length: 500 }, (_, i) => new Counted((i * 7919) % 1009))
    items.forEach((item) => queue.add(item))
    const [removed, kept] = [items.filter((_, i) => i % 3 === 0), items.filter((_, i) => i % 3 !== 0)]
    removed.forEach((item) => queue.remove(item))
    removed.forEach((item) => queue.remove(item))
    const times: number[] = []
    for (let first = queue.first; first !== undefined; first = queue.first) {
      times.push(first.time)
      queue.remove(first)
    }
    expect(times).toEqual(kept.map(({ time }) => time).sort((a, b) => a - b))
  })

  it.each([1000, 100_000])('compares a few for each doubling: with %i of them', (count) => {
    const queue = new ExpiryQueue<Counted>()
    const items = Array.from({ length: count }, (_, i) => new Counted((i * 7919) % 100_003))
    const most = 8 * Math.ceil(Math.log2(count))
    let worst = 0
    const costing = (work: () => void) => {
      Counted.compared = 0
      work()
      worst = Math.max(worst, Counted.compared)
    }
    items.forEach((item) => costing(() => queue.add(item)))
    items.forEach((item) => costing(() => queue.remove(item)))
    expect(worst).toBeLessThanOrEqual(most)
    expect(queue.size).toBe(0)
  })
})

describe('a family of many values', () => {
  const usersOf = (key: string) => key.slice(0, key.lastIndexOf(':'))

  it.each([100, 10_000])('asks of a few of them whose they are: of %i', (count) => {
    const owner = vi.fn(usersOf)
    const family = new Family(count, owner)
    for (let i = 0; i < count; i++) family.set(`u${i}:6`, i, 60_000)
    const costOf = (work: () => void) => {
      owner.mockClear()
      work()
      return owner.mock.calls.length
    }
    expect(costOf(() => family.deleteUser('u9'))).toBe(1)
    expect(costOf(() => family.set('new:6', 0, 60_000))).toBe(1)
    expect(costOf(() => family.set('newer:6', 0, 60_000))).toBe(2)
    family.clear()
    // What was cleared is forgotten altogether.
    expect(costOf(() => family.deleteUser('u7'))).toBe(0)
  })

  it('has nothing after it was cleared, of other processes neither', () => {
    const family = new Family(10, usersOf)
    family.set('own:6', 1, 60_000)
    family.receive('theirs:6', 1, 60_000, '', false)
    family.clear()
    expect(family.keys()).toEqual([])
    expect(family.stats().size).toBe(0)
  })

  it.each([100, 10_000])('looks at a few of them in each operation: of %i', (count) => {
    const family = new Family(count, usersOf)
    for (let i = 0; i < count; i++) family.set(`u${i}:6`, i, 60_000 + i)
    const looks = vi.spyOn(Entry.prototype, 'isExpired', 'get')
    const looksOf = (work: () => void) => {
      looks.mockClear()
      work()
      return looks.mock.calls.length
    }
    const costs = {
      get: looksOf(() => family.get('u7:6')),
      miss: looksOf(() => family.get('none')),
      replace: looksOf(() => family.set('u7:6', 0, 60_000)),
      evict: looksOf(() => family.set('new:6', 0, 60_000)),
      receive: looksOf(() => family.receive('other:6', 0, 60_000, '', false)),
      delete: looksOf(() => family.delete('u8:6')),
      'delete a user': looksOf(() => family.deleteUser('u9')),
      stats: looksOf(() => family.stats()),
      maintenance: looksOf(() => family.dropExpired()),
    }
    expect(costs).toEqual({ get: 1, miss: 0, replace: 2, evict: 2, receive: 2, delete: 0, 'delete a user': 0, stats: 1, maintenance: 1 })
  })

  it('stays within its size, and holds on to nothing else, under 1,000,000 distinct keys', () => {
    const family = new Family(1000, usersOf)
    const users = vi.fn(usersOf)
    const sets = queryObjects(Set, { format: 'count' }) as unknown as number
    for (let i = 0; i < 1_000_000; i++) {
      if (i % 2 === 0) family.set(`u${i}:6`, i, 60_000)
      else family.receive(`u${i}:6`, i, 60_000, '', false)
      if (i % 100_000 === 0) family.get(`u${i - 10}:6`)
    }
    // One for each user who has something.
    expect((queryObjects(Set, { format: 'count' }) as unknown as number) - sets).toBeLessThan(2000)
    expect(family.stats().size).toBe(1000)
    expect(family.keys().length).toBe(1000)
    // What is found by its user is what is kept.
    for (const key of family.keys()) family.deleteUser(users(key))
    expect(family.stats().size).toBe(0)
  }, 600_000)
})

describe('values of other processes', () => {
  it('take the place of one another, and not of what is used here', () => {
    const family = new Family(10)
    for (let i = 0; i < 9; i++) family.set(`own${i}`, i, 60_000)
    for (let i = 0; i < 1000; i++) family.receive(`theirs${i}`, i, 60_000, '', false)
    for (let i = 0; i < 9; i++) expect(family.peek(`own${i}`)?.value).toBe(i)
    expect(family.peek('theirs999')?.value).toBe(999)
  })

  it('cost a full family one value at most', () => {
    const family = new Family(10)
    for (let i = 0; i < 10; i++) family.set(`own${i}`, i, 60_000)
    for (let i = 0; i < 1000; i++) family.receive(`theirs${i}`, i, 60_000, '', false)
    expect(family.keys()).toEqual(['theirs999', ...Array.from({ length: 9 }, (_, i) => `own${i + 1}`)])
  })

  it('are in use once somebody asked for them', () => {
    const family = new Family(3)
    family.receive('theirs', 1, 60_000, '', false)
    expect(family.get('theirs')).toBe(1)
    for (let i = 0; i < 100; i++) family.receive(`more${i}`, i, 60_000, '', false)
    expect(family.peek('theirs')?.value).toBe(1)
  })
})

describe('an entry', () => {
  it('has expired when either clock says so', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    const entry = new Entry('k', 'v', 1000, '')
    expect(entry.isExpired).toBe(false)
    vi.setSystemTime(Date.now() - 3_600_000)
    vi.advanceTimersByTime(1000)
    expect(entry.isExpired).toBe(false)
    vi.advanceTimersByTime(1)
    expect(entry.isExpired).toBe(true)
    const other = new Entry('k', 'v', 1000, '')
    vi.setSystemTime(Date.now() + 1001)
    expect(other.isExpired).toBe(true)
    vi.useRealTimers()
  })
})
