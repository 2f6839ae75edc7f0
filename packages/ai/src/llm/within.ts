/** The keys for whose answers calls are being made, by the signal that each was given. */
const keyOf = new WeakMap<AbortSignal, string>()
/** The key for whose answer a call is being made at this very moment. */
let current: string | undefined

/** Makes a call for the answer under a key. */
export function makeFor<T>(key: string, signal: AbortSignal, call: () => T): T {
  keyOf.set(signal, key)
  const before = current
  current = key
  try {
    return call()
  } finally {
    current = before
  }
}

/**
 * For the answer under which key this is asked, as far as can be told: at once, or with the signal that was given on. Then the model is behind the cache twice, and the inner
 * call is not to wait for the outer, which waits for it.
 *
 * AsyncLocalStorage would know always. But until Node.js 24 its first use makes all promises of the process slower.
 */
export function askedFor(signal: AbortSignal | undefined): string | undefined {
  return current ?? (signal === undefined ? undefined : keyOf.get(signal))
}
