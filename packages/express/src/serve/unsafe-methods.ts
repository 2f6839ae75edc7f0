import type { ServerResponse } from 'node:http'
import type { InvalidateTarget } from '@tiercel/core'
import { urlOf, type Addressed } from '../express-shapes.js'
import type { Asked } from '../request/asked.js'
import { baseKey, originOf, requestKey, tagOfPath } from '../request/request-key.js'
import { parseStrings } from '../fields/structured.js'
import { afterSuccess } from './after-success.js'
import type { ResponseCache } from './response-cache.js'

/** After a write that succeeded, forgets what it has changed by its own account: its URL, `Location` and `Content-Location` (RFC 9111, section 4.4), and `Cache-Group-Invalidation` (RFC 9875, section 3). */
export function forgetAfterWrite(owner: ResponseCache, asked: Asked, res: ServerResponse): void {
  const { settings } = owner
  afterSuccess(asked.req, res, () => settings.cache.invalidate(targetOf(owner, asked, res)), (error) => owner.report(error))
}

function targetOf({ settings, searchRules }: ResponseCache, asked: Asked, res: ServerResponse): InvalidateTarget {
  const room = typeof settings.room === 'function' ? settings.room(asked.req) : settings.room
  const bases: string[] = []
  const own = requestKey(asked, room, settings, searchRules)?.base
  if (own !== undefined) bases.push(own)
  if (settings.key === undefined) {
    for (const name of ['location', 'content-location']) {
      const path = pathOnSameOrigin(res.getHeader(name), asked)
      if (path !== undefined) bases.push(baseKey(originOf(asked) + path, room, asked))
    }
  }
  const groups = parseStrings([res.getHeader('cache-group-invalidation') ?? ''].flat().join(', ')) ?? []
  return { keys: bases, tags: [...bases.map(tagOfPath), ...groups.filter((group) => group !== '')] }
}

/** Path and query of a reference to this host; nobody's answer may have us forget what is another's. */
export function pathOnSameOrigin(reference: unknown, asked: Addressed): string | undefined {
  if (typeof reference !== 'string') return undefined
  try {
    const here = new URL(urlOf(asked), originOf(asked))
    const there = new URL(reference, here)
    return there.origin === here.origin ? there.pathname + there.search : undefined
  } catch {
    return undefined
  }
}

