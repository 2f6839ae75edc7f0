import type { Cache, Duration, Logger } from '@tiercel/core'
import type { CachedRequest } from './express-shapes.js'

/** Which parameters of the query string count. What does not count is taken out of the URL before the handler sees it. */
export interface QueryOption {
  /** The parameters that count; all others do not. */
  only?: readonly string[] | undefined
  /** Parameters that do not count. `*` at the end of a name stands for anything: `utm_*`. */
  ignore?: readonly string[] | undefined
  /** Whether `?a=1&b=2` and `?b=2&a=1` are one. The handler then sees the sorted form. Default `false`. */
  sort?: boolean | undefined
}

/** Options of `cacheResponses`. `Req` is the request that the functions among them are given. */
export interface ResponseCacheOptions<Req = CachedRequest> {
  /** Where responses are kept. It bounds them, shares them through its Redis, and invalidates them by tag, room and pattern. */
  cache: Cache
  /**
   * How long a response is fresh when the handler does not say. Without it, only what the handler's own `Cache-Control` or `Expires` allows is
   * reused. A handler's `private` or `no-store` wins over it.
   */
  ttl?: Duration | undefined
  /**
   * How long past its freshness a response may be served when the handler fails: throws, or answers 500, 502, 503 or 504. `stale-if-error` of the
   * response goes before it; `must-revalidate`, `proxy-revalidate`, `no-cache` and `s-maxage` forbid it. Default `'1m'`; `0` never.
   */
  grace?: Duration | undefined
  /**
   * How long past its freshness a response is served at once while the handler is run in the background. `stale-while-revalidate` of the response goes
   * before it, and what forbids `grace` forbids it. Default `0`: never.
   */
  staleWhileRevalidate?: Duration | undefined
  /** How long past its freshness a response with an `ETag` or `Last-Modified` is kept, so that the handler's 304 can renew it. Default `'10m'`. */
  keep?: Duration | undefined
  /** The room the responses belong to, or a function that gives it; `undefined` is none. It is part of the key. */
  room?: string | ((req: Req) => string | undefined) | undefined
  /** Tags of the responses, or a function that gives them. Those of the response's own `Cache-Groups` come on top. */
  tags?: readonly string[] | ((req: Req) => readonly string[]) | undefined
  /** Request headers that are part of the key, for a handler that depends on them and sends no `Vary`. */
  vary?: readonly string[] | undefined
  /** In place of host and URL: what names the response. Requests with the same key are given the same response; `undefined` goes past the cache. */
  key?: ((req: Req) => string | undefined) | undefined
  /** Methods answered from the cache: `GET`, and `HEAD` from what a GET stored. Default both. */
  methods?: readonly ('GET' | 'HEAD')[] | undefined
  /**
   * What becomes of requests with cookies. `'public'`: they share only what the handler marks `public`. A list of names: those cookies are part of the key, and
   * the handler sees no others. `'ignore'`: the handler sees none. Default `'public'`.
   */
  cookies?: 'public' | 'ignore' | readonly string[] | undefined
  /** Which parameters of the query string count. Default: all, in the order given. */
  query?: QueryOption | undefined
  /** Largest body kept, in bytes. Default 1 MiB. */
  maxBody?: number | undefined
  /** Most variants by `Vary` that a process keeps of one URL. Default 32. */
  maxVariants?: number | undefined
  /** How long others wait for the response that is being made before they run the handler themselves. Default `'10s'`. */
  maxWait?: Duration | undefined
  /** Whether the client's `Cache-Control` and `Pragma` are obeyed, which lets anybody have the handler run. Default `false`. */
  requestDirectives?: boolean | undefined
  /** Whether answers with a status of 400 and above are kept when their own headers allow it. Default `false`: they never are. */
  errors?: boolean | undefined
  /** `'second'` keeps a response only when it is asked for the second time, so that addresses nobody comes back to take no room. Default `'first'`. */
  admit?: 'first' | 'second' | undefined
  /** Names this cache in `Cache-Status` (RFC 9211); `false` sends none. Default `'tiercel'`. */
  cacheStatus?: string | false | undefined
  /** Response headers of targeted cache control (RFC 9213) that are meant for this cache, the first of them first. Default `['Tiercel-Cache-Control']`. */
  targeted?: readonly string[] | undefined
  /** Told of what goes wrong in the cache. No request fails for it. */
  logger?: Logger | undefined
}
