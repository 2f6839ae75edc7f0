import { ServerResponse } from 'node:http'
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

const PLACEHOLDER = 'x-tiercel-placeholder'

/**
 * Makes what `writeHead` was given part of the headers, so that there is one place to look at. It takes a status, perhaps a message, and headers in several forms, whose rules Node
 * has changed between its versions: so it is Node that is asked, by a response that is never sent.
 */
export function applyWriteHead(res: ServerResponse, [status, second, third]: readonly unknown[]): { readonly status: number; readonly statusMessage: string | undefined } {
  const given = typeof second === 'string' ? third : (second ?? third)
  if (Array.isArray(given) && res.getHeaderNames().length === 0) {
    // Sent as it is, with what it repeats.
    const list: string[] = given.flat()
    const names = list.filter((_, i) => i % 2 === 0)
    for (const name of names) res.setHeader(name, list.filter((_, i) => i % 2 === 1 && list[i - 1]?.toLowerCase() === name.toLowerCase()))
  } else if (typeof given === 'object' && given !== null) {
    const scratch = new ServerResponse(res.req)
    // With a header that was set before, those given become headers like it.
    scratch.setHeader(PLACEHOLDER, '')
    for (const [name, values] of headersOf(res)) scratch.setHeader(name, values)
    scratch.writeHead(Number(status), (Array.isArray(given) ? given.flat() : given) as string[])
    restoreHeaders(res, new Map([...headersOf(scratch)].filter(([name]) => name !== PLACEHOLDER)))
  }
  return { status: Number(status), statusMessage: typeof second === 'string' ? second : undefined }
}
