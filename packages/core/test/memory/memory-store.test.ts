import { describe, expect, it } from 'vitest'
import { TokenRegistry } from '../../src/coherence/index.js'
import { Entry, MemoryStore } from '../../src/memory/index.js'

const entry = (value: unknown, tokens = new TokenRegistry().holdAll([])) => new Entry(value, 1e12, 1e12, 0, 1e12, tokens, undefined)

describe('the store of the memory', () => {
  it('gives the tokens of an entry back when it is replaced, deleted, pushed out or dropped with all', () => {
    const tokens = new TokenRegistry()
    const store = new MemoryStore({ maxEntries: 2, maxBytes: 10_000 }, tokens)
    for (const key of ['a', 'a', 'b', 'c', 'd']) store.set(key, entry(1, tokens.holdAll([key])), 8)
    expect(tokens.size).toBe(2)
    expect(store.delete('c')).toBe(true)
    expect(store.delete('c')).toBe(false)
    expect(tokens.size).toBe(1)
    store.clear()
    expect([tokens.size, store.size, store.bytes]).toEqual([0, 0, 0])
  })

  it('keeps nothing under a key whose new entry is larger than all of it', () => {
    const store = new MemoryStore({ maxEntries: 10, maxBytes: 1000 }, new TokenRegistry())
    expect(store.set('k', entry('old'), 100)).toBe(true)
    expect(store.set('k', entry('new'), 1000)).toBe(false)
    expect(store.get('k')).toBeUndefined()
  })
})
