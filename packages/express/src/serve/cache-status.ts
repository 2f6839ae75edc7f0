import type { ServerResponse } from 'node:http'

/** What is said of one request. Never a key: it may hold what is private. */
export type Handling =
  | { readonly hit: true; readonly ttl: number; readonly detail?: string }
  | { readonly hit: false; readonly fwd: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'; readonly fwdStatus?: number; readonly stored?: boolean; readonly detail?: string }

const MOST_TEXTS = 1000

/** `Cache-Status`, as one cache says it (RFC 9211). */
export class CacheStatus {
  readonly #name: string
  /** By the seconds that are left: of nearly all hits the same was said of another, and the text is there. */
  readonly #ofHits = new Map<number, string>()

  constructor(name: string) {
    this.#name = name
  }

  addHit(res: ServerResponse, ttl: number): void {
    let text = this.#ofHits.get(ttl)
    if (text === undefined) {
      if (this.#ofHits.size >= MOST_TEXTS) this.#ofHits.clear()
      this.#ofHits.set(ttl, (text = this.text({ hit: true, ttl })))
    }
    append(res, text)
  }

  add(res: ServerResponse, handling: Handling): void {
    append(res, this.text(handling))
  }

  text(handling: Handling): string {
    const detail = handling.detail === undefined ? '' : `; detail=${handling.detail}`
    if (handling.hit) return `${this.#name}; hit; ttl=${handling.ttl}${detail}`
    const { fwd, fwdStatus, stored } = handling
    return `${this.#name}; fwd=${fwd}${fwdStatus === undefined ? '' : `; fwd-status=${fwdStatus}`}${stored ? '; stored' : ''}${detail}`
  }
}

/** Caches nearer to the visitor come last. */
function append(res: ServerResponse, ours: string): void {
  const before = res.getHeader('cache-status')
  res.setHeader('Cache-Status', before === undefined ? ours : `${String(before)}, ${ours}`)
}
