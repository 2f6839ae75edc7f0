import type { RedisLink, RedisState } from '@tiercel/core/connection'
import { describe, expect, it, vi } from 'vitest'
import { Certainty, type Settling } from '../../src/sharing/certainty.js'

interface Scene {
  readonly certainty: Certainty
  readonly settling: { [name in keyof Settling]: ReturnType<typeof vi.fn<Settling[name]>> }
  state: RedisState
}

function scene(): Scene {
  const settling = { makeSure: vi.fn<Settling['makeSure']>(async () => {}), catchUp: vi.fn<Settling['catchUp']>(async () => {}), settled: vi.fn<Settling['settled']>() }
  const link = { state: 'up' as RedisState, ready: () => Promise.resolve(true) }
  return {
    settling,
    certainty: new Certainty(link as unknown as RedisLink, settling),
    set state(state: RedisState) {
      link.state = state
    },
  }
}

describe('whether everything was heard', () => {
  it('is not certain at first, and while it is found out', async () => {
    const { certainty, settling } = scene()
    expect(await certainty.whenSure(async () => 'done')).toBeUndefined()
    let made: () => void = () => {}
    settling.makeSure.mockReturnValueOnce(new Promise((resolve) => (made = resolve)))
    certainty.doubt()
    expect(certainty.isSure).toBe(false)
    const work = vi.fn(async () => 'done')
    const waiting = certainty.whenSure(work)
    expect(work).not.toHaveBeenCalled()
    made()
    expect(await waiting).toBe('done')
    expect(settling.settled).toHaveBeenCalledOnce()
  })

  it('is found out again when something may have been missed meanwhile', async () => {
    const { certainty, settling } = scene()
    const doubted = () => Promise.resolve().then(() => certainty.doubt())
    settling.makeSure.mockImplementationOnce(doubted)
    settling.catchUp.mockImplementationOnce(doubted)
    certainty.doubt()
    await vi.waitUntil(() => certainty.isSure && settling.settled.mock.calls.length === 1, { timeout: 30_000 })
    expect(settling.makeSure).toHaveBeenCalledTimes(3)
  })

  it('is found out again when something may have been missed at the last moment', async () => {
    const { certainty, settling } = scene()
    settling.settled.mockImplementationOnce(() => queueMicrotask(() => certainty.doubt()))
    certainty.doubt()
    await vi.waitUntil(() => settling.settled.mock.calls.length === 2, { timeout: 30_000 })
    expect(certainty.isSure).toBe(true)
  })

  it('keeps nobody waiting when Redis does not let it be found out, and is tried again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    try {
      const { certainty, settling } = scene()
      settling.makeSure.mockRejectedValueOnce(new Error('refused'))
      certainty.doubt()
      expect(await certainty.whenSure(async () => 'done')).toBeUndefined()
      expect(settling.makeSure).toHaveBeenCalledOnce()
      vi.advanceTimersByTime(1000)
      expect(await certainty.whenSure(async () => 'done')).toBe('done')
    } finally {
      vi.useRealTimers()
    }
  })

  it('is not certain after Redis went away while it was found out', async () => {
    const one = scene()
    one.settling.makeSure.mockImplementationOnce(async () => void (one.state = 'outage'))
    one.certainty.doubt()
    expect(await one.certainty.whenSure(async () => 'done')).toBeUndefined()
    expect(one.certainty.isSure).toBe(false)
  })

  it('is found out once Redis is there', async () => {
    const one = scene()
    one.state = 'outage'
    one.certainty.doubt()
    expect(await one.certainty.whenSure(async () => 'done')).toBeUndefined()
    one.state = 'up'
    one.certainty.doubt()
    expect(await one.certainty.whenSure(async () => 'done')).toBe('done')
    one.certainty.doubt()
    expect(one.certainty.isSure).toBe(false)
  })

  it('is lost with Redis', async () => {
    const { certainty } = scene()
    certainty.doubt()
    await certainty.whenSure(async () => {})
    expect(certainty.isSure).toBe(true)
    certainty.lose()
    expect(await certainty.whenSure(async () => 'done')).toBeUndefined()
  })
})
