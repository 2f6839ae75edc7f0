import type { Cache } from '@tiercel/core'
import { describe, expect, it, vi } from 'vitest'
import { Family } from '../../src/families/index.js'
import type { Certainty } from '../../src/sharing/certainty.js'
import type { InvalidationCount } from '../../src/sharing/invalidation-count.js'
import type { Newest } from '../../src/sharing/newest.js'
import { Space } from '../../src/sharing/space.js'
import { Teller } from '../../src/sharing/telling.js'

vi.mock('@tiercel/core/connection', async (original) => ({ ...(await original<object>()), hasHeardAll: () => Promise.resolve(true) }))

interface Told {
  readonly all: boolean
  readonly tags: readonly string[]
}

function scene(newest: readonly string[] = []) {
  const told: Told[] = []
  let counted = 0
  const next = vi.fn(async () => `era.${++counted}`)
  const deleteMany = vi.fn(async () => ({ durable: true }))
  const invalidate = vi.fn(async ({ all, tags }: Told) => {
    told.push({ all, tags: tags.filter((tag) => !tag.startsWith('change:')) })
    return { durable: true }
  })
  const space = new Space({ invalidate, deleteMany } as unknown as Cache, new Family(10), { listAll: async () => newest } as unknown as Newest, undefined)
  const onEnd = vi.fn((isAllTold: boolean) => {
    if (!isAllTold) teller.release()
  })
  const certainty = { isSure: true, whenSure: <T>(work: () => Promise<T>) => work() } as unknown as Certainty
  const teller: Teller = new Teller(space, { certainty, count: { next, heard: () => {} } as unknown as InvalidationCount, report: () => {}, onEnd })
  return { teller, told, next, invalidate, deleteMany, onEnd }
}

describe('what was invalidated', () => {
  it('while something is being told is told together, after it', async () => {
    const { teller, told, next } = scene()
    const all = [teller.tell({ user: 'first' }), ...Array.from({ length: 50 }, (_, i) => teller.tell({ user: `u${i % 10}` }))]
    expect(teller.isEmpty).toBe(false)
    await Promise.all(all)
    expect(told).toEqual([
      { all: false, tags: ['user:first'] },
      { all: false, tags: Array.from({ length: 10 }, (_, i) => `user:u${i}`) },
    ])
    expect(next).toHaveBeenCalledTimes(2)
    expect(teller.isEmpty).toBe(true)
  })

  it('becomes everything when it is too much to name', async () => {
    const { teller, told } = scene()
    await Promise.all([teller.tell({ user: 'first' }), ...Array.from({ length: 2000 }, (_, i) => teller.tell({ user: `u${i}` }))])
    expect(told).toEqual([{ all: false, tags: ['user:first'] }, { all: true, tags: [] }])
  })

  it('by several patterns is swept at once', async () => {
    const { teller, deleteMany } = scene(['search:goa:{}', 'search:agra:{}', 'search:kerala:{}'])
    await Promise.all([teller.tell({ pattern: 'none' }), teller.tell({ pattern: 'goa*' }), teller.tell({ pattern: 'agra*' })])
    expect(deleteMany.mock.calls).toEqual([[['search:goa:{}', 'search:agra:{}']]])
  })

  it('and cannot be told keeps nobody waiting, and is told again with what came meanwhile after it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { teller, told, invalidate, onEnd } = scene()
      invalidate.mockResolvedValueOnce({ durable: false })
      await teller.tell({ user: 'first' })
      expect(onEnd.mock.calls).toEqual([[false]])
      expect(teller.isEmpty).toBe(false)
      const waiting = teller.tell({ user: 'second' })
      vi.advanceTimersByTime(1000)
      await waiting
      expect(told).toEqual([{ all: false, tags: ['user:first'] }, { all: false, tags: ['user:second'] }])
      expect(onEnd.mock.calls).toEqual([[false], [true]])
    } finally {
      vi.useRealTimers()
    }
  })

  it('at the last moment is told too', async () => {
    const { teller, told, onEnd } = scene()
    let late: Promise<void> | undefined
    onEnd.mockImplementationOnce(() => queueMicrotask(() => (late = teller.tell({ user: 'late' }))))
    await teller.tell({ user: 'first' })
    await vi.waitUntil(() => late !== undefined, { timeout: 30_000 })
    await late
    expect(told.map(({ tags }) => tags)).toEqual([['user:first'], ['user:late']])
  })
})
