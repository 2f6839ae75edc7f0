import { describe, expect, it } from 'vitest'
import { Writes } from '../../src/sharing/writes.js'

const parcel = Buffer.alloc(100)

describe('the writes that wait', () => {
  it('are no more than the family holds, under 1,000,000 distinct keys; of the others Redis is to forget what it has', () => {
    const writes = new Writes(1000)
    for (let i = 0; i < 1_000_000; i++) writes.add(`k${i}`, parcel, i)
    expect(writes.waiting.size).toBe(1000)
    expect(writes.waiting.has('k999999')).toBe(true)
    expect(writes.takeForgotten()).toBe('all')
    expect(writes.hasToForget).toBe(false)
  }, 600_000)

  it('name what Redis is to forget as long as that is not much', () => {
    const writes = new Writes(2)
    for (const key of ['a', 'b', 'c', 'd']) writes.add(key, parcel, 0)
    expect(writes.takeForgotten()).toEqual(['a', 'b'])
    writes.forget('c')
    writes.add('c', parcel, 0)
    expect(writes.takeForgotten()).toEqual([])
  })

  it('are no more than 32 MiB, however few', () => {
    const writes = new Writes(1000)
    for (let i = 0; i < 10; i++) writes.add(`k${i}`, Buffer.alloc(10 * 2 ** 20), 0)
    expect([...writes.waiting.keys()]).toEqual(['k7', 'k8', 'k9'])
    writes.add('huge', Buffer.alloc(40 * 2 ** 20), 0)
    expect([...writes.waiting.keys()]).toEqual(['huge'])
  })

  it('are one for each key, the last, and never on their way together', async () => {
    const writes = new Writes(10)
    const first = writes.add('k', parcel, 0)
    const second = writes.add('k', parcel, 0)
    await first.outcome.promise
    expect(first.state).toBe('overtaken')
    expect(writes.take()).toBe(second)
    const third = writes.add('k', parcel, 0)
    expect(second.state).toBe('overtaken')
    expect(writes.take()).toBeUndefined()
    writes.sending.delete('k')
    expect(writes.take()).toBe(third)
    expect(writes.isEmpty).toBe(false)
    writes.sending.delete('k')
    expect(writes.isEmpty).toBe(true)
  })

  it('are tried again unless something newer came', () => {
    const writes = new Writes(10)
    const write = writes.add('k', parcel, 0)
    writes.take()
    writes.sending.delete('k')
    expect(writes.again(write)).toBe(true)
    writes.take()
    writes.add('k', parcel, 0)
    writes.sending.delete('k')
    expect(writes.again(write)).toBe(false)
  })

  it('are revoked by what they match, on their way too', async () => {
    const writes = new Writes(10)
    const sent = writes.add('a1', parcel, 0)
    writes.take()
    const waiting = writes.add('a2', parcel, 0)
    const other = writes.add('b', parcel, 0)
    writes.revoke((key) => key.startsWith('a'))
    await waiting.outcome.promise
    expect([sent.state, waiting.state, other.state]).toEqual(['revoked', 'revoked', 'valid'])
    expect([...writes.waiting.keys()]).toEqual(['b'])
  })

  it('are all given up when they may be too old, those on their way too, and Redis is to forget their keys', async () => {
    const writes = new Writes(10)
    const sent = writes.add('a', parcel, 0)
    writes.take()
    const waiting = writes.add('b', parcel, 0)
    writes.forgetEach()
    await waiting.outcome.promise
    expect(writes.waiting.size).toBe(0)
    expect(new Set(writes.takeForgotten())).toEqual(new Set(['a', 'b']))
    // It came to nothing, and is not to be tried again.
    writes.sending.delete('a')
    expect(sent.state).toBe('revoked')
    expect(writes.again(sent)).toBe(false)
  })
})
