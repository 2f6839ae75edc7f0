import type { LoadContext } from '../../src/index.js'

/** One call of a held loader, which lasts until the test ends it. */
export interface HeldCall<T> {
  readonly ctx: LoadContext
  succeed(value: T): void
  fail(error: unknown): void
}

export interface HeldLoader<T> {
  (ctx: LoadContext): Promise<T>
  readonly calls: readonly HeldCall<T>[]
  /** The nth call, counted from 1, as soon as it has begun. */
  called(nth?: number): Promise<HeldCall<T>>
}

/** A loader whose calls end when and as the test says. */
export function heldLoader<T = string>(): HeldLoader<T> {
  const calls: HeldCall<T>[] = []
  const expected = new Map<number, (call: HeldCall<T>) => void>()
  const load = (ctx: LoadContext) =>
    new Promise<T>((resolve, reject) => {
      const call: HeldCall<T> = { ctx, succeed: resolve, fail: reject }
      calls.push(call)
      expected.get(calls.length)?.(call)
    })
  const called = (nth = 1) => {
    const call = calls[nth - 1]
    return call === undefined ? new Promise<HeldCall<T>>((resolve) => expected.set(nth, resolve)) : Promise.resolve(call)
  }
  return Object.assign(load, { calls, called })
}
