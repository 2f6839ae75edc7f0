import { isSameStrongly } from '../fields/entity-tag.js'
import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseHttpDate } from '../fields/http-date.js'

export interface ByteRange {
  readonly first: number
  readonly last: number
}

/**
 * The part of a body that `Range` asks for (RFC 9110, section 14). `'all'` for what is not understood, and for several parts: a server may give the whole in their place.
 */
export function rangeOf(field: string, length: number): ByteRange | 'all' | 'unsatisfiable' {
  const match = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(field)
  const [, from = '', to = ''] = match ?? []
  if (match === null || (from === '' && to === '')) return 'all'
  if (from === '') {
    const suffix = Number(to)
    return suffix === 0 || length === 0 ? 'unsatisfiable' : { first: Math.max(0, length - suffix), last: length - 1 }
  }
  const first = Number(from)
  if (to !== '' && Number(to) < first) return 'all'
  if (first >= length) return 'unsatisfiable'
  return { first, last: to === '' ? length - 1 : Math.min(Number(to), length - 1) }
}

/** Whether a part completes what the visitor has: `If-Range` must name this very version (RFC 9110, section 13.1.5). */
export function isSameVersion(ifRange: string, headers: HeaderList): boolean {
  if (ifRange.includes('"')) return isSameStrongly(ifRange, valueOf(headers, 'etag'))
  const modified = parseHttpDate(valueOf(headers, 'last-modified'))
  const answered = parseHttpDate(valueOf(headers, 'date'))
  // A date tells versions apart only if they cannot both be of that second.
  return modified !== undefined && parseHttpDate(ifRange) === modified && answered !== undefined && answered - modified >= 1000
}
