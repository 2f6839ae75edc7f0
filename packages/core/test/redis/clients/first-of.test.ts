import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { firstOf } from '../../../src/redis/clients/first-of.js'

const after = <T>(ms: number, end: () => T) => () => new Promise<T>((resolve, reject) => setTimeout(() => {
  try {
    resolve(end())
  } catch (error) {
    reject(error as Error)
  }
}, ms))
const failing = (message: string) => () => {
  throw new Error(message)
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('asks the next one only when the one before has failed or takes its time', async () => {
  const third = vi.fn(after(10, () => 'third'))
  const result = firstOf([after(60_000, () => 'first'), after(20, () => 'second'), third], 500)
  await vi.advanceTimersByTimeAsync(519)
  const settled = vi.fn<(value: unknown) => void>()
  result.then(settled, settled)
  await vi.advanceTimersByTimeAsync(0)
  expect(settled).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect(settled).toHaveBeenCalledWith('second')
  await vi.advanceTimersByTimeAsync(60_000)
  expect(third).not.toHaveBeenCalled()
})

it('goes on at once when one fails, and takes what an earlier one gives later', async () => {
  const result = firstOf([after(700, () => 'slow'), after(10, failing('no')), after(60_000, () => 'never')], 500)
  await vi.advanceTimersByTimeAsync(700)
  expect(await result).toBe('slow')
})

it('rejects with the last error when all have failed, also those that took long', async () => {
  const result = firstOf([after(2000, failing('last')), after(10, failing('first'))], 500).catch((error: Error) => error.message)
  await vi.advanceTimersByTimeAsync(2000)
  expect(await result).toBe('last')
})
