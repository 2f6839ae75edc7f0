import type { CacheOptions } from '@tiercel/core'
import { cacheResponses, type ResponseCacheOptions } from '@tiercel/express'
import type { Request, RequestHandler } from 'express'
import { open, type Site } from './site.js'
import type { ExpressModule } from './versions.js'

export interface PageOptions extends Partial<ResponseCacheOptions<Request>> {
  /** Nothing is set before the handler runs: Express does not say that it is there. */
  readonly bare?: boolean
  /** Options of the cache itself. */
  readonly cacheOptions?: CacheOptions
}

/** A site whose every path is one cached handler; a minute long, unless the options say otherwise. Who waits in vain waits for longer than a test does. */
export function openPage(express: ExpressModule, handler: RequestHandler, { cacheOptions, bare = false, ...options }: PageOptions = {}): Promise<Site> {
  return open(
    express,
    (app, cache) => {
      if (bare) app.disable('x-powered-by')
      app.all(/.*/, cacheResponses({ cache, ttl: '1m', maxWait: '10m', ...options }), handler)
    },
    cacheOptions,
  )
}

/** The same, and the handler's own headers say what may be kept. */
export function openObedientPage(express: ExpressModule, handler: RequestHandler, options: PageOptions = {}): Promise<Site> {
  return openPage(express, handler, { ttl: undefined, ...options })
}
