import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseHttpDate } from '../fields/http-date.js'

/** How old a response is when it arrives (RFC 9111, section 4.2.3); `Infinity` for an `Age` that cannot be read, since that much is sure: it came from a cache. */
export function initialAgeMs(headers: HeaderList, now: number): number {
  const age = valueOf(headers, 'age')
  if (age !== undefined && !/^\d+$/.test(age)) return Number.POSITIVE_INFINITY
  const date = parseHttpDate(valueOf(headers, 'date'))
  const apparent = date === undefined ? 0 : now - date
  // Dates are in whole seconds: what is less than one says nothing.
  return Math.max(apparent < 1000 ? 0 : apparent, Number(age ?? 0) * 1000)
}
