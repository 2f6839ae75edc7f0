import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Sequence } from '../../src/coherence/index.js'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

describe('a wait for a change', () => {
  it('ends when it has not arrived in time', async () => {
    const sequence = new Sequence()
    sequence.begin(1)
    const delivery = sequence.deliveredUpTo(2, sequence.interruptions, 500)
    vi.advanceTimersByTime(500)
    expect(await delivery).toBe('late')
  })

  it('does not take for late what lay ready when the process went on after a pause', async () => {
    const sequence = new Sequence()
    sequence.begin(1)
    const delivery = sequence.deliveredUpTo(2, sequence.interruptions, 500)
    // Timers come first then, and sockets after them.
    vi.advanceTimersByTime(500)
    sequence.advance(2)
    expect(await delivery).toBe('delivered')
  })
})
