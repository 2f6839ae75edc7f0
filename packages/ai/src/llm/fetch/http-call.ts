import { CALL_HEADER } from './call-header.js'
import { isObject, type Json } from './json.js'

/** What a client of a provider takes in place of `fetch`. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** A call that may be one of a model. */
export interface HttpCall {
  readonly url: URL
  readonly headers: Headers
  readonly body: Json
  readonly signal: AbortSignal | undefined
  /** Makes it, with another signal, and with another body if one is given. */
  send(signal: AbortSignal, body?: Json): Promise<Response>
}

/** Takes a call apart, if it posts JSON to an address that is `wanted`. The body of any other is not touched: it may be long, or not even be there yet. */
export async function readCall(fetch: Fetch, wanted: (url: URL) => boolean, input: string | URL | Request, init: RequestInit = {}): Promise<HttpCall | undefined> {
  const request = typeof input === 'object' && 'url' in input ? input : undefined
  const method = init.method ?? request?.method ?? 'GET'
  const headers = headersOf(input, init)
  if (method.toUpperCase() !== 'POST' || !/\bjson\b/i.test(headers.get('content-type') ?? '')) return undefined
  const url = addressIn(request?.url ?? String(input))
  if (url === undefined || !wanted(url)) return undefined
  const text = init.body === undefined ? await request?.clone().text() : textOf(init.body)
  const body = text === undefined ? undefined : parsed(text)
  if (text === undefined || body === undefined) return undefined
  headers.delete(CALL_HEADER)
  return {
    url,
    headers,
    body,
    signal: init.signal ?? request?.signal,
    send: (signal, other) => {
      const sent = other === undefined ? headers : withoutLength(headers)
      const changed: RequestInit = { ...init, method, headers: sent, signal, body: other === undefined ? text : JSON.stringify(other) }
      // The signal once more: that of a Request is never the one it was made with.
      return request === undefined ? fetch(input, changed) : fetch(new Request(request, changed), { signal })
    },
  }
}

function withoutLength(headers: Headers): Headers {
  const others = new Headers(headers)
  others.delete('content-length')
  return others
}

/** A call that is not ours to answer, without what is said to us. */
export function passOn(fetch: Fetch, input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
  const headers = headersOf(input, init)
  if (!headers.has(CALL_HEADER)) return fetch(input, init)
  headers.delete(CALL_HEADER)
  return fetch(input, { ...init, headers })
}

/** As `fetch` takes them: those of `init` in place of those of the request. */
export function headersOf(input: string | URL | Request, init: RequestInit | undefined): Headers {
  return new Headers(init?.headers ?? (typeof input === 'object' && 'url' in input ? input.headers : undefined))
}

/** `undefined` for what is no address: `fetch` itself says so best. */
function addressIn(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}

function textOf(body: RequestInit['body']): string | undefined {
  if (typeof body === 'string') return body
  if (body instanceof ArrayBuffer) return Buffer.from(body).toString()
  return ArrayBuffer.isView(body) ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString() : undefined
}

function parsed(text: string): Json | undefined {
  try {
    const body: unknown = JSON.parse(text)
    return isObject(body) ? body : undefined
  } catch {
    return undefined
  }
}
