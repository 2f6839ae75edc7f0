import type { ServerResponse } from 'node:http'

/** What `Cache-Status` says of one request (RFC 9211). Never a key: it may hold what is private. */
export type Handling =
  | { readonly hit: true; readonly ttl: number; readonly detail?: string }
  | { readonly hit: false; readonly fwd: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'; readonly fwdStatus?: number; readonly stored?: boolean; readonly detail?: string }

export function addCacheStatus(res: ServerResponse, name: string | undefined, handling: Handling): void {
  if (name === undefined) return
  const before = res.getHeader('cache-status')
  const ours = `${name}${parametersOf(handling)}`
  // Caches nearer to the visitor come last.
  res.setHeader('Cache-Status', before === undefined ? ours : `${String(before)}, ${ours}`)
}

function parametersOf(handling: Handling): string {
  const detail = handling.detail === undefined ? '' : `; detail=${handling.detail}`
  if (handling.hit) return `; hit; ttl=${handling.ttl}${detail}`
  const { fwd, fwdStatus, stored } = handling
  return `; fwd=${fwd}${fwdStatus === undefined ? '' : `; fwd-status=${fwdStatus}`}${stored ? '; stored' : ''}${detail}`
}
