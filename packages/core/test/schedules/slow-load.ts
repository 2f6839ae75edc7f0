import type { Cache, CallOptions, LoadContext } from '../../src/index.js'

export interface Suspended<T> {
  readonly promise: Promise<T>
  resolve(value: T): void
  reject(error: Error): void
}

/** A promise that settles when and as the test says. */
export function suspended<T>(): Suspended<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue
    reject = onError
  })
  return { promise, resolve, reject }
}

export interface SlowLoad {
  /** What the call comes to. */
  readonly answer: Promise<string>
  /** The loader's context, as soon as it runs. */
  readonly begun: Promise<LoadContext>
  finish(value: string): Promise<string>
  /** Resolves to the value that was served all the same, or rejects with the error. */
  fail(error: Error): Promise<string>
}

/** A `getOrSet` whose loader ends when and as the test says. */
export function slowLoad(cache: Cache, key: string, options: CallOptions = {}): SlowLoad {
  const begun = suspended<LoadContext>()
  const load = suspended<string>()
  const answer = cache.getOrSet<string>(
    key,
    (ctx) => {
      begun.resolve(ctx)
      return load.promise
    },
    options,
  )
  // Some tests look at the answer only after it is there.
  answer.catch(() => {})
  return {
    answer,
    begun: begun.promise,
    finish(value) {
      load.resolve(value)
      return answer
    },
    fail(error) {
      load.reject(error)
      return answer
    },
  }
}

/**
 * A load under way whose tag, which only it names, has been invalidated: whoever joins it now has to load anew once it ends. Resolves to
 * a function that ends it.
 */
export async function lateTagged(cache: Cache, key: string): Promise<() => Promise<string>> {
  const load = slowLoad(cache, key)
  const ctx = await load.begun
  await cache.invalidate({ tag: 't' })
  return () => {
    ctx.tags('t')
    return load.finish('old')
  }
}

/** Lets everything run that waits for nothing but a microtask. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export const down = new Error('The database is down')
