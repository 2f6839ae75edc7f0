import type { IncomingHttpHeaders } from 'node:http'

/** What frameworks and proxies read in place of the URL, host and scheme: part of every key. */
const IN_PLACE_OF_URL = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-path',
  'x-forwarded-scheme',
  'x-forwarded-ssl',
  'x-forwarded-server',
  'x-original-url',
  'x-original-host',
  'x-rewrite-url',
  'x-host',
  'x-script-name',
  'x-url-scheme',
  'front-end-https',
] as const
const NAMES: ReadonlySet<string> = new Set(IN_PLACE_OF_URL)

/** Who the visitor is. Part of a key they would give everybody a page of their own, so a response that depends on them is not kept. */
export const VISITORS_ADDRESS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-ip', 'x-cluster-client-ip', 'true-client-ip', 'cf-connecting-ip', 'fastly-client-ip'] as const

export function isOtherMethod(headers: IncomingHttpHeaders): boolean {
  return headers['x-http-method-override'] !== undefined || headers['x-http-method'] !== undefined || headers['x-method-override'] !== undefined
}

/** For a key: what stands in place of the URL. */
export function forwardedPart(headers: IncomingHttpHeaders): string {
  let part = ''
  if (!isForwarded(headers)) return part
  for (const name of IN_PLACE_OF_URL) {
    if (headers[name] !== undefined) part += ` ${name}=${escaped(String(headers[name]))}`
  }
  return part
}

/** By what is there: that is less than what could be. */
function isForwarded(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) if (NAMES.has(name)) return true
  return false
}

/** The headers of it. */
export function forwardedHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(IN_PLACE_OF_URL.filter((name) => headers[name] !== undefined).map((name) => [name, headers[name]]))
}

/** Without what separates the parts of a key. */
export function escaped(text: string): string {
  // oxlint-disable-next-line no-control-regex -- those are what it is about
  return text.replaceAll(/[%\s\u0000-\u001f]/g, (character) => encodeURIComponent(character))
}
