import type { ServerResponse } from 'node:http'
import type { HeaderList } from '../fields/header-list.js'

/** The headers that are going to be sent, by name in lower case. */
export type HeaderSnapshot = ReadonlyMap<string, readonly string[]>

export function headersOf(res: ServerResponse): HeaderSnapshot {
  const headers = new Map<string, readonly string[]>()
  for (const name of res.getHeaderNames()) {
    const value = res.getHeader(name)
    headers.set(name.toLowerCase(), Array.isArray(value) ? value : [String(value)])
  }
  return headers
}

export function toList(headers: HeaderSnapshot): HeaderList {
  return [...headers].flatMap(([name, values]) => values.flatMap((value) => [name, value]))
}

/** What is there now and was not before, or was otherwise. */
export function changesSince(before: HeaderSnapshot, now: HeaderSnapshot): HeaderList {
  return toList(new Map([...now].filter(([name, values]) => {
    const old = before.get(name)
    return old === undefined || old.length !== values.length || old.some((value, i) => value !== values[i])
  })))
}

/** Brings the headers back to what they were. */
export function restoreHeaders(res: ServerResponse, before: HeaderSnapshot): void {
  for (const name of res.getHeaderNames()) if (!before.has(name.toLowerCase())) res.removeHeader(name)
  for (const [name, values] of before) res.setHeader(name, values.length === 1 ? (values[0] as string) : values)
}

/**
 * Makes what `writeHead` was given part of the headers, so that there is one place to look at. It takes a status, perhaps a message, and headers as an
 * object, as names and values in turn, or as pairs; they go before those that were set.
 */
export function applyWriteHead(res: ServerResponse, [status, second, third]: readonly unknown[]): { readonly status: number; readonly statusMessage: string | undefined } {
  const headers = typeof second === 'string' ? third : (second ?? third)
  if (Array.isArray(headers)) {
    const pairs = (Array.isArray(headers[0]) ? headers.flat(1) : headers) as readonly (string | readonly string[])[]
    const values = new Map<string, string[]>()
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const name = String(pairs[i])
      values.set(name, [...(values.get(name) ?? []), ...[pairs[i + 1] as string | string[]].flat()])
    }
    for (const name of values.keys()) res.removeHeader(name)
    for (const [name, all] of values) res.setHeader(name, all.length === 1 ? (all[0] as string) : [...([res.getHeader(name) ?? []].flat() as string[]), ...all])
  } else if (typeof headers === 'object' && headers !== null) {
    for (const [name, value] of Object.entries(headers as Record<string, string | string[] | undefined>)) {
      if (value === undefined) res.removeHeader(name)
      else res.setHeader(name, value)
    }
  }
  return { status: Number(status), statusMessage: typeof second === 'string' ? second : undefined }
}
