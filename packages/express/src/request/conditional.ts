import type { IncomingHttpHeaders } from 'node:http'
import { matchesAny } from '../fields/entity-tag.js'
import { valueOf, type HeaderList } from '../fields/header-list.js'
import { parseHttpDate } from '../fields/http-date.js'

/** What a visitor has of the page already. */
export interface Preconditions {
  readonly noneMatch: string | undefined
  readonly modifiedSince: string | undefined
}

export const CONDITIONALS = ['if-none-match', 'if-modified-since'] as const

export function preconditionsOf(headers: IncomingHttpHeaders): Preconditions | undefined {
  const noneMatch = headers['if-none-match']
  const modifiedSince = headers['if-modified-since']
  return noneMatch === undefined && modifiedSince === undefined ? undefined : { noneMatch, modifiedSince }
}

/** Whether a 304 answers the visitor as well as the response would (RFC 9110, section 13.2.2; RFC 9111, section 4.3.2). */
export function isNotModified({ noneMatch, modifiedSince }: Preconditions, status: number, headers: HeaderList): boolean {
  if (status < 200 || status > 299) return false
  if (noneMatch !== undefined) return matchesAny(noneMatch, valueOf(headers, 'etag'))
  const since = parseHttpDate(modifiedSince)
  // Without a time of its own, the page is as old as the answer.
  const modified = parseHttpDate(valueOf(headers, 'last-modified') ?? valueOf(headers, 'date'))
  return since !== undefined && modified !== undefined && modified <= since
}
