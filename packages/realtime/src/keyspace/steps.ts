import type { Awaitable } from './keyspace.js'

/** Steps, of which each may have to be waited for: `const reply = yield* step(keyspace.send(…))`. */
export type Steps<Result> = Generator<Awaitable<unknown>, Result, unknown>

export function* step<T>(value: Awaitable<T>): Generator<Awaitable<unknown>, T, unknown> {
  return (yield value) as T
}

/** Each step after the one before: at once as long as what it needs is there, as on a memory, and else when it is. */
export function inSteps<Result>(steps: () => Steps<Result>): Awaitable<Result> {
  const running = steps()
  const goOn = (next: IteratorResult<Awaitable<unknown>, Result>): Awaitable<Result> => {
    let at = next
    while (at.done !== true) {
      if (at.value instanceof Promise) {
        return at.value.then(
          (value) => goOn(running.next(value)),
          (error: unknown) => goOn(running.throw(error)),
        )
      }
      at = running.next(at.value)
    }
    return at.value
  }
  return goOn(running.next())
}

/** All of them, which may be there at once or be waited for. */
export function together<T>(values: readonly Awaitable<T>[]): Awaitable<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[])
}
