import { describe, expect, it } from 'vitest'
import { RecentChanges } from '../../src/coherence/index.js'

describe('recent changes', () => {
  it('tell whether something changed since a moment', () => {
    const changes = new RecentChanges()
    const start = changes.now
    expect(changes.changedSince('t', start)).toBe(false)
    changes.record('t')
    const after = changes.now
    expect(after).toBeGreaterThan(start)
    expect(changes.changedSince('t', start)).toBe(true)
    expect(changes.changedSince('t', after)).toBe(false)
    expect(changes.changedSince('other', start)).toBe(false)
    changes.record('t')
    expect(changes.changedSince('t', after)).toBe(true)
  })

  it('count what they cannot remember any more as changed, and nothing that began later', () => {
    const changes = new RecentChanges()
    const start = changes.now
    for (let i = 0; i < 4096; i++) changes.record(`tag-${i}`)
    expect(changes.changedSince('never changed', start)).toBe(false)
    changes.record('one more')
    expect(changes.changedSince('tag-0', start)).toBe(true)
    expect(changes.changedSince('never changed', start)).toBe(true)
    expect(changes.changedSince('never changed', changes.now)).toBe(false)
    expect(changes.changedSince('tag-0', changes.now - 4096)).toBe(false)
    expect(changes.changedSince('tag-1', start)).toBe(true)
  })

  it('keep what changed last longest', () => {
    const changes = new RecentChanges()
    changes.record('often')
    for (let i = 0; i < 4000; i++) changes.record(`tag-${i}`)
    changes.record('often')
    const then = changes.now
    for (let i = 0; i < 200; i++) changes.record(`more-${i}`)
    expect(changes.changedSince('often', then)).toBe(false)
    expect(changes.changedSince('often', then - 1)).toBe(true)
  })
})
