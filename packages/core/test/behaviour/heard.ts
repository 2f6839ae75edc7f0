import type { Cache, CacheEventName, CacheEvents } from '../../src/index.js'

/** The events of one name from now on, in the order they came. */
export function heard<Name extends CacheEventName>(cache: Cache, name: Name): CacheEvents[Name][] {
  const events: CacheEvents[Name][] = []
  cache.on(name, (event) => void events.push(event))
  return events
}
