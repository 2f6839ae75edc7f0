import type { ServerResponse } from 'node:http'
import type { InvalidateTarget } from '@tiercel/core'
import { urlOf, type CachedRequest } from '../express-shapes.js'
import { baseKey, originOf, requestKey, tagOfPath } from '../request/request-key.js'
import { parseStrings } from '../fields/structured.js'
import { afterSuccess } from './after-success.js'
import type { ResponseCache } from './response-cache.js'

/** After a write that succeeded, forgets what it has changed by its own account: its URL, `Location` and `Content-Location` (RFC 9111, section 4.4), and `Cache-Group-Invalidation` (RFC 9875, section 3). */
export function forgetAfterWrite(owner: ResponseCache, req: CachedRequest, res: ServerResponse): void {
  const { settings } = owner
  afterSuccess(req, res, () => settings.cache.invalidate(targetOf(owner, req, res)), (error) => owner.report(error))
}

function targetOf({ settings, searchRules }: ResponseCache, req: CachedRequest, res: ServerResponse): InvalidateTarget {
  const room = typeof settings.room === 'function' ? settings.room(req) : settings.room
  const bases: string[] = []
  const own = requestKey(req, room, settings, searchRules)?.base
  if (own !== undefined) bases.push(own)
  if (settings.key === undefined) {
    for (const name of ['location', 'content-location']) {
      const path = pathOnSameOrigin(res.getHeader(name), req)
      if (path !== undefined) bases.push(baseKey(originOf(req) + path, room, req))
    }
  }
  const groups = parseStrings([res.getHeader('cache-group-invalidation') ?? ''].flat().join(', ')) ?? []
  return { keys: bases, tags: [...bases.map(tagOfPath), ...groups.filter((group) => group !== '')] }
}

/** Path and query of a reference to this host; nobody's answer may have us forget what is another's. */
export function pathOnSameOrigin(reference: unknown, req: CachedRequest): string | undefined {
  if (typeof reference !== 'string') return undefined
  try {
    const here = new URL(urlOf(req), originOf(req))
    const there = new URL(reference, here)
    return there.origin === here.origin ? there.pathname + there.search : undefined
  } catch {
    return undefined
  }
}

