export { Entry } from './entry.js'
export { Locations } from './locations.js'
export { MemoryStore, type MemoryBounds } from './memory-store.js'
