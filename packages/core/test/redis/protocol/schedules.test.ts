import type * as timersPromises from 'node:timers/promises'
import * as fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { describeWithRedis } from '../server/index.js'
import { RandomWorld, scenario } from './random-world.js'
import { useStage, type ProcessOptions } from './stage/stage.js'

/** Who waits for another process's load looks again when the schedule says so. */
const polls = vi.hoisted(() => ({ next: undefined as (() => Promise<unknown>) | undefined }))

vi.mock('node:timers/promises', async (original) => {
  const timers = await original<typeof timersPromises>()
  const pause = (...args: Parameters<typeof timers.setTimeout>) => polls.next?.() ?? timers.setTimeout(...args)
  return { ...timers, default: timers, setTimeout: pause }
})

const thorough = process.env.TIERCEL_PROOF === '1'
/** The same scenarios each time; the proof looks for new ones, and prints the seed of what it finds. */
const runs = thorough ? { numRuns: 5000 } : { numRuns: 100, seed: 11 }
/** So long each test looks, then it leaves the rest of its runs out: a slow machine explores less. */
const LONGEST_MS = 450_000
vi.setConfig({ testTimeout: 2 * LONGEST_MS })

describeWithRedis('whatever the schedule', () => {
  const stage = useStage()

  const promisesWith = (options: ProcessOptions) => {
    const until = Date.now() + LONGEST_MS
    return fc.asyncProperty(fc.scheduler(), scenario, async (schedule, plan) => {
      if (Date.now() > until) return
      const world = new RandomWorld(stage, schedule)
      try {
        const processes = await Promise.all(plan.processes.map(() => stage.open({ ttl: '500h', deadline: '100h', ...options })))
        polls.next = () => world.turn('poll')
        await world.run(plan, processes)
      } finally {
        polls.next = undefined
        await stage.leave()
      }
    })
  }

  it('no process serves what it forgot itself, Redis nothing that it was told to forget, and nobody anything of another key', async () => {
    const promises = promisesWith({})
    await expect(fc.assert(promises, { ...runs, endOnFailure: true })).resolves.toBeUndefined()
  })

  it('nor does it in a cluster', async () => {
    const promises = promisesWith({ kind: 'cluster' })
    await expect(fc.assert(promises, { ...runs, endOnFailure: true })).resolves.toBeUndefined()
  })
})
