import { AsyncLocalStorage } from 'node:async_hooks'

interface Made {
  readonly key: string
  readonly within: Made | undefined
}

const made = new AsyncLocalStorage<Made>()

/** Makes a call for the answer under a key. */
export function makeFor<T>(key: string, call: () => T): T {
  return made.run({ key, within: made.getStore() }, call)
}

/**
 * Whether this is asked by a call that is made for the answer under the very same key: the model is behind the cache twice. The inner one is not to wait for the outer, which
 * waits for it.
 */
export function isMadeFor(key: string): boolean {
  for (let call = made.getStore(); call !== undefined; call = call.within) if (call.key === key) return true
  return false
}
