import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { RedisTimeoutError } from '../../../src/errors/index.js'
import { Breaker } from '../../../src/redis/breaker.js'
import type { RedisConnection } from '../../../src/redis/clients/index.js'

const connection = { isUp: true, recycle() {}, recycleSilent: vi.fn<() => void>() }
const recover = vi.fn<() => Promise<void>>()
let breaker: Breaker
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)

beforeEach(async () => {
  vi.useFakeTimers()
  connection.isUp = true
  connection.recycleSilent.mockClear()
  recover.mockReset()
  recover.mockResolvedValue()
  breaker = new Breaker({ connection: connection as unknown as RedisConnection, firstWaitMs: 250, recover, onState() {}, onError() {} })
  breaker.start()
  await wait(0)
  if (breaker.state !== 'up') throw new Error('it is not up to begin with')
  recover.mockClear()
})
afterEach(() => {
  breaker.close()
  vi.useRealTimers()
})

it('tries as soon as there is a connection where there was none, whatever pause it was in', async () => {
  recover.mockRejectedValue(new Error('away'))
  breaker.trip()
  await wait(5000)
  connection.isUp = false
  await wait(600)
  recover.mockReset()
  recover.mockResolvedValue()
  connection.isUp = true
  await wait(50)
  expect(breaker.state).toBe('up')
})

it('does not believe for longer than a second that there is no connection', async () => {
  connection.isUp = false
  breaker.trip()
  await wait(999)
  expect(recover).not.toHaveBeenCalled()
  await wait(1)
  expect(recover).toHaveBeenCalledTimes(1)
})

it('pauses no longer than half a second between tries while there is a connection, and has one replaced that says nothing', async () => {
  recover.mockRejectedValue(new RedisTimeoutError('late'))
  breaker.trip()
  await wait(10_000)
  const tries = recover.mock.calls.length
  await wait(10_000)
  expect(recover.mock.calls.length - tries).toBeGreaterThanOrEqual(20)
  expect(recover.mock.calls.length - tries).toBeLessThanOrEqual(40)
  expect(connection.recycleSilent).toHaveBeenCalledTimes(recover.mock.calls.length)
})
