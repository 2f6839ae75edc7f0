export { EventHub, eventNames, isEventName, type CacheEventName, type CacheEvents, type CacheListener, type Logger } from './events.js'
export type { Around, Facts, Operation } from './operations.js'
export { Counters, type CacheStats, type ConnectionStatus, type Tier } from './stats.js'
