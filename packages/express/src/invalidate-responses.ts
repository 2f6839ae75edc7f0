import { InvalidOptionError, type Cache, type InvalidateTarget, type Logger } from '@tiercel/core'
import type { CachedRequest, Middleware } from './express-shapes.js'
import { baseKey, originOf, tagOfPath } from './request/request-key.js'
import { afterSuccess } from './serve/after-success.js'
import { tell } from './serve/tell.js'
import { pathOnSameOrigin } from './serve/unsafe-methods.js'
import { checkCache } from './settings.js'

/** Options of `invalidateResponses`: what a successful request makes old. Functions are called when the handler has answered. */
export interface InvalidateResponsesOptions<Req = CachedRequest> {
  /** The cache that `cacheResponses` was given. */
  cache: Cache
  /** A room, all of whose responses and other entries are forgotten. */
  room?: string | ((req: Req) => string | undefined) | undefined
  /** Tags, all of whose responses and other entries are forgotten. */
  tags?: readonly string[] | ((req: Req) => readonly string[]) | undefined
  /** URLs of this host, such as `/users/1`, taken literally. They reach responses that have no `room` and no `key` of their own. */
  urls?: readonly string[] | ((req: Req) => readonly string[]) | undefined
  /** A glob over keys, as `cache.invalidatePattern` takes it. All entries of the cache are looked through: prefer rooms and tags. */
  pattern?: string | ((req: Req) => string | undefined) | undefined
  /** Told when it fails. The client's answer does not. */
  logger?: Logger | undefined
}

const NAMES = ['cache', 'room', 'tags', 'urls', 'pattern', 'logger']

/**
 * Middleware that invalidates responses once the handler has answered with success (2xx or 3xx), before that answer ends: who has it is not shown the old
 * response by this process any more.
 *
 * @throws {InvalidOptionError} for options that do not exist, or when nothing is named.
 * @example
 * app.put('/users/:id', invalidateResponses({ cache, room: (req) => req.params.id }), rename)
 */
export function invalidateResponses<Req = CachedRequest>(options: InvalidateResponsesOptions<Req>): Middleware {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('invalidateResponses takes an object of options: { cache, room: (req) => req.params.id }')
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`invalidateResponses has no option '${unknown.slice(0, 40)}'. It has: ${NAMES.join(', ')}`)
  const { cache, room, tags, urls, pattern, logger } = options
  checkCache(cache)
  if ((room ?? tags ?? urls ?? pattern) === undefined) throw new InvalidOptionError('invalidateResponses needs to know what: room, tags, urls or pattern')

  const targetFor = (req: CachedRequest): InvalidateTarget | undefined => {
    const of = <T>(option: T | ((req: Req) => T) | undefined) => (typeof option === 'function' ? (option as (req: Req) => T)(req as Req) : option)
    const [namedRoom, namedPattern] = [of<string | undefined>(room), of<string | undefined>(pattern)]
    const bases = (of<readonly string[]>(urls) ?? []).flatMap((url) => {
      const path = pathOnSameOrigin(url, req)
      return path === undefined ? [] : [baseKey(originOf(req) + path, undefined, req)]
    })
    const allTags = [...(of<readonly string[]>(tags) ?? []), ...bases.map(tagOfPath)]
    if (namedRoom === undefined && namedPattern === undefined && allTags.length === 0) return undefined
    return { keys: bases, tags: allTags, ...(namedRoom === undefined ? undefined : { room: namedRoom }), ...(namedPattern === undefined ? undefined : { pattern: namedPattern }) }
  }
  const report = (error: unknown) => tell(logger, error, 'responses were not invalidated')

  return (req, res, next) => {
    const act = async () => {
      const target = targetFor(req as CachedRequest)
      if (target !== undefined) await cache.invalidate(target)
    }
    afterSuccess(req as CachedRequest, res, act, report)
    next()
  }
}
