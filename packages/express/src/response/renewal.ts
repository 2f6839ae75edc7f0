import { without, type HeaderList } from '../fields/header-list.js'

/** What a 304 cannot change: it describes the body that is kept (RFC 9111, section 3.2). */
const OF_THE_BODY = new Set(['content-encoding', 'content-length', 'content-md5', 'content-range', 'etag'])

/** The headers of a response that a 304 has found still good. */
export function renewedHeaders(stored: HeaderList, fresh: HeaderList): HeaderList {
  const updates = without(fresh, (name) => OF_THE_BODY.has(name))
  const updated = new Set(updates.filter((_, i) => i % 2 === 0))
  // It is as old as the 304 now.
  return [...without(stored, (name) => updated.has(name) || name === 'date'), ...updates]
}
