export { createStorage, isAsyncStorage } from './create-storage.js'
export { createEventSockets, type EventSocket, type EventSockets } from './event-sockets.js'
export type { AddOptions, AnyStorageModel, AsyncStorage, Storage, StorageCalls, StorageModel, StoredEvent, SyncStorage } from './interface.js'
export type { StorageOptions } from './options.js'
