import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Bus } from '../../../src/redis/bus.js'
import type { RedisConnection, SubscriptionHandlers } from '../../../src/redis/clients/index.js'

/** A connection of which commands and messages fail independently of each other. */
const recycled = vi.fn<() => void>()
let say: () => Promise<'OK'>
let handlers: SubscriptionHandlers
let bus: Bus

beforeEach(() => {
  vi.useFakeTimers()
  recycled.mockClear()
  say = () => Promise.resolve('OK')
  const connection = {
    run: () => say(),
    subscribe(_: string | undefined, given: SubscriptionHandlers) {
      handlers = given
      return Promise.resolve({ add: () => Promise.resolve(), remove() {}, recycle: recycled, close() {} })
    },
  }
  bus = new Bus(connection as unknown as RedisConnection, 'channel', 'sequence', undefined, { sequence: true, hello: true }, { onChange() {}, onGap() {}, onForeign() {}, onLost() {} })
})
afterEach(() => {
  bus.close()
  vi.useRealTimers()
})

const hearing = () => bus.listen(1000).then(() => 'heard', (error: Error) => error.message)

it('a subscription over which a process does not hear itself is made anew', async () => {
  const first = hearing()
  handlers.onSubscribed()
  await vi.advanceTimersByTimeAsync(1000)
  expect(await first).toMatch(/do not reach/)
  const second = hearing()
  await vi.advanceTimersByTimeAsync(1000)
  expect(await second).toMatch(/do not reach/)
  expect(recycled).toHaveBeenCalledTimes(1)
})

it('one that is not there yet is left to be made', async () => {
  const first = hearing()
  await vi.advanceTimersByTimeAsync(1000)
  expect(await first).toMatch(/do not reach/)
  expect(recycled).not.toHaveBeenCalled()
})

it('what could not be said is not waited for', async () => {
  const listening = hearing()
  say = () => Promise.reject(new Error('no connection'))
  handlers.onSubscribed()
  await vi.advanceTimersByTimeAsync(0)
  expect(await listening).toBe('no connection')
})
