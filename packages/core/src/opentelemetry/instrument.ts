// Types only: the package is loaded when somebody instruments a cache.
import type * as OpenTelemetry from '@opentelemetry/api'
import { isCache, scopeOf, type Cache } from '../cache/cache.js'
import { ClosedError, InvalidArgumentError, InvalidOptionError, MissingPeerError } from '../errors/index.js'
import { meterCache } from './metrics.js'
import { spansAround } from './spans.js'

export interface InstrumentOptions {
  /** Where metrics go. Default: the global one, as it is when `instrument` is called. */
  meterProvider?: OpenTelemetry.MeterProvider | undefined
  /** Where spans go. Default: the global one. */
  tracerProvider?: OpenTelemetry.TracerProvider | undefined
  /**
   * Whether spans about one key have a hash of it, the first 16 hex digits of the SHA-256 of namespace, colon and key. Who can guess a key can find it by its hash. Default `false`.
   */
  hashedKeys?: boolean | undefined
}

export interface Instrumentation {
  /** Ends it: no metrics and no spans of the cache any more. Closing the cache does so, too. */
  stop(): void
  [Symbol.dispose](): void
}

/** The name of the meter and the tracer. */
const SCOPE = '@tiercel/core'
/** By the cache or namespace: done twice, everything would count twice. */
const current = new WeakMap<Cache, Instrumentation>()
const OPTIONS = ['meterProvider', 'tracerProvider', 'hashedKeys']

/**
 * Makes metrics and spans for OpenTelemetry of what a cache does. Of a namespace it does so for that one and those below it, without the figures that there are
 * only of a whole cache. Neither metrics nor spans hold keys, tags, rooms or values. A second call for the same one takes the place of the first.
 *
 * @throws {MissingPeerError} when `@opentelemetry/api` is not installed.
 * @throws {InvalidArgumentError} for what is no cache, or one that another copy of the package has made.
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
 * @throws {ClosedError} for a cache that was closed.
 * @example
 * const cache = createCache()
 * await instrument(cache)
 */
export async function instrument(cache: Cache, options: InstrumentOptions = {}): Promise<Instrumentation> {
  if (!isCache(cache)) throw new InvalidArgumentError('instrument takes a cache, made by createCache of the same copy of @tiercel/core')
  check(options)
  const api = await load()
  if (cache.closed) throw new ClosedError('The cache was closed. Instrument it before')
  const { meterProvider = api.metrics, tracerProvider = api.trace, hashedKeys = false } = options
  const { parent, shared } = scopeOf(cache)
  current.get(cache)?.stop()

  const endings = [
    meterCache(meterProvider.getMeter(SCOPE), cache, parent === undefined),
    shared.events.operations.watch(cache.name, spansAround(api, tracerProvider.getTracer(SCOPE), hashedKeys)),
    // At the path of the whole cache: closing is not told to namespaces.
    shared.events.listen('state', shared.settings.name, ({ closed }) => {
      if (closed) stop()
    }),
  ]
  const stop = (): void => endings.splice(0).forEach((end) => end())
  const instrumentation = { stop, [Symbol.dispose]: stop }
  current.set(cache, instrumentation)
  return instrumentation
}

function check(options: InstrumentOptions): void {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError('The options of instrument are an object')
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`instrument has no option '${unknown.slice(0, 40)}'. It has: ${OPTIONS.join(', ')}`)
  const { meterProvider, tracerProvider, hashedKeys } = options
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') throw new InvalidOptionError('meterProvider is an object that has getMeter')
  if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function') throw new InvalidOptionError('tracerProvider is an object that has getTracer')
  if (hashedKeys !== undefined && typeof hashedKeys !== 'boolean') throw new InvalidOptionError('hashedKeys is true or false')
}

async function load(): Promise<typeof OpenTelemetry> {
  try {
    return await import('@opentelemetry/api')
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
    if (!isMissing) throw error
    throw new MissingPeerError('Metrics and spans for OpenTelemetry need the package @opentelemetry/api: npm install @opentelemetry/api')
  }
}
