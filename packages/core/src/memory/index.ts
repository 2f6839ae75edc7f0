export { Entry } from './entry.js'
export { MemoryStore, type MemoryBounds } from './memory-store.js'
