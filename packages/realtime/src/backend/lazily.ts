import type { Backend } from './backend.js'
import { defaultBackend } from './choice.js'

/**
 * An object that is made with the backend of the process when it is first used: importing it reads no environment and opens no connection. After that backend was
 * closed the next use makes both anew.
 */
export function lazily<T extends object>(make: (backend: Backend) => T): T {
  const made = new WeakMap<Backend, T>()
  const present = (): T => {
    const backend = defaultBackend()
    const known = made.get(backend) ?? make(backend)
    made.set(backend, known)
    return known
  }
  return new Proxy({} as T, {
    get: (_, name) => {
      // Whoever awaits it asks for this one, and must not open anything.
      if (name === 'then') return undefined
      const object = present()
      const value: unknown = Reflect.get(object, name, object)
      return typeof value === 'function' ? (...args: unknown[]) => Reflect.apply(value, object, args) as unknown : value
    },
    has: (_, name) => name in present(),
  })
}
