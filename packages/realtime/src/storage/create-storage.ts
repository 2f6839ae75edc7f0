import { type BackendChoice, chooseBackend } from '../backend/choice.js'
import type { AnyStorageModel, AsyncStorage, Storage, StorageModel, StoredEvent } from './interface.js'
import { EVENTS, KeyspaceStorage } from './keyspace-storage.js'
import { storageLimits, type StorageOptions } from './options.js'

/**
 * A storage for sessions and what belongs to them: in Redis when one is configured (`REDIS_URL`, `REDIS_HOST` or `redis`), else in the memory of this process.
 * Whether it is the one or the other, each call may be awaited.
 *
 * @throws {InvalidOptionError} @throws {InvalidEnvironmentError}
 * @example
 * const storage = createStorage()
 * await storage.setSession('s1', { title: 'First' })
 * await storage.addEvent('s1', { type: 'start' })
 * if (isAsyncStorage(storage)) await storage.subscribe('events', (event) => console.log(event))
 */
export function createStorage<M extends StorageModel = AnyStorageModel>(options: StorageOptions & BackendChoice = {}): Storage<M> {
  const limits = storageLimits(options)
  const { backend, close } = chooseBackend(options)
  const { pubSub } = backend
  const calls = new KeyspaceStorage<M>(backend, limits)
  const base = {
    backend,
    onEvent: (listener: (event: StoredEvent<M['event']>) => void) => pubSub.subscribe<StoredEvent<M['event']>>(EVENTS, (event) => listener(event)),
    close,
  }
  if (backend.link === undefined) return Object.assign(calls, base) as unknown as Storage<M>
  return {
    ...awaited(calls),
    ...base,
    subscribe: (...args: Parameters<typeof pubSub.subscribe>) => pubSub.subscribe(...args),
    publish: (channel: string, data: unknown) => pubSub.publish(channel, data),
  } as unknown as Storage<M>
}

/** Whether it is a storage in Redis, whose calls give promises, and which can subscribe and publish. */
export function isAsyncStorage<M extends StorageModel>(storage: Storage<M>): storage is AsyncStorage<M> {
  return 'publish' in storage
}

/** Its methods, rejecting where they would throw at once: for an id that is none, say. */
function awaited(calls: object): Record<string, (...args: unknown[]) => Promise<unknown>> {
  const names = Object.getOwnPropertyNames(KeyspaceStorage.prototype).filter((name) => name !== 'constructor')
  return Object.fromEntries(names.map((name) => [name, async (...args: unknown[]) => (await Reflect.apply(Reflect.get(calls, name) as () => unknown, calls, args)) as unknown]))
}
