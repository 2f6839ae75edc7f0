import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseHttpDate } from '../fields/http-date.js'

/** How old a response is when it arrives (RFC 9111, section 4.2.3). */
export function initialAgeMs(headers: HeaderList, now: number): number {
  const date = parseHttpDate(valueOf(headers, 'date'))
  const apparent = date === undefined ? 0 : now - date
  // Dates are in whole seconds: what is less than one says nothing.
  return Math.max(apparent < 1000 ? 0 : apparent, saidAge(valueOf(headers, 'age')) * 1000)
}

/** Of several the first counts, and one that is no number says nothing (RFC 9111, section 5.1). Who adds a parameter still means the number before it. */
function saidAge(field: string | undefined): number {
  const first = field?.split(/[,;]/, 1)[0]?.trim() ?? ''
  return /^\d+$/.test(first) ? Number(first) : 0
}
