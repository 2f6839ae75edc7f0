import { isObject } from './json.js'

/** What comes before the body of an answer, as it is kept for others than the one who asked. */
export interface HttpHead {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** An error, or nothing that the protocol knows: given as it came, whatever form was asked for. */
  readonly isOpaque: boolean
}

/** What is true of one transfer, or meant for the one who asked: connection, encoding, cookies, limits, accounts. */
const NOT_SHARED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-encoding|content-length|set-cookie|date|age|cache-status|alt-svc|cf-.*|.*ratelimit.*|retry-after|openai-organization|openai-project|anthropic-organization-id)$/
/** What does not fit a body any more that was decoded. */
const OF_THE_ENCODING = ['content-encoding', 'content-length', 'transfer-encoding']

export function sharedHeadOf(response: Response, isOpaque: boolean): HttpHead {
  return { status: response.status, headers: [...response.headers].filter(([name]) => !NOT_SHARED.test(name)), isOpaque }
}

/** All headers that came, for the one who asked. */
export function ownHeadersOf(response: Response): Headers {
  const headers = new Headers(response.headers)
  for (const name of OF_THE_ENCODING) headers.delete(name)
  return headers
}

export function isHttpHead(stored: unknown): stored is HttpHead {
  if (!isObject(stored)) return false
  const { status, headers, isOpaque } = stored
  return Array.isArray(headers) && headers.every(isHeader) && typeof status === 'number' && status >= 200 && status < 600 && typeof isOpaque === 'boolean'
}

function isHeader(pair: unknown): boolean {
  if (!Array.isArray(pair) || pair.length !== 2) return false
  const [name, value] = pair as unknown[]
  return typeof name === 'string' && typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(value)
}
