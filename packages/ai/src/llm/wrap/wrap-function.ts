import { InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import { resolveCall, type LLMCallOptions } from '../call-options.js'
import type { Engine } from '../engine.js'
import { valueWire, type WrapOutcome } from './value-wire.js'

/** Options of `wrap`. Those of a call are for every call. */
export interface LLMWrapOptions<Args extends unknown[], R> extends LLMCallOptions {
  /** All that decides about what the function gives, of any shape: the question, the history, the temperature. */
  key: (...args: Args) => unknown
  /** Tells functions with the same keys apart. Default: the name of the function. */
  name?: string | undefined
  /** The model behind it, for `invalidate({ model })`, prices and events. Default none. */
  model?: string | undefined
  /** Options of one call, over the others. */
  options?: ((...args: Args) => LLMCallOptions | undefined) | undefined
  /** What is known of a result; of one that comes in parts, of the array of them. What it throws keeps the result out of the cache. */
  outcome?: ((result: Awaited<R> extends AsyncIterable<infer Part> ? Part[] : Awaited<R>) => WrapOutcome | undefined) | undefined
}

/** A function behind the cache. It always gives a promise: of a value, or of the parts to iterate over. */
export type LLMWrapped<Args extends unknown[], R> = (...args: Args) => Promise<Awaited<R> extends AsyncIterable<infer Part> ? AsyncIterableIterator<Part, undefined> : Awaited<R>>

/** Known from the function alone: a `key` that looks at fewer arguments does not take the others away. */
export type ArgumentsOf<Args extends unknown[]> = [Args][Args extends unknown ? 0 : never]

const CALL_OPTIONS = ['ttl', 'maxAge', 'noStore', 'refresh', 'scope', 'tags']
const NAMES = new Set(['key', 'name', 'model', 'options', 'outcome', ...CALL_OPTIONS])

/**
 * @throws {InvalidArgumentError} for what is no function.
 * @throws {InvalidOptionError} for an option that does not exist or has a value it cannot have.
 */
export function wrapFunction<Args extends unknown[], R>(engine: Engine, fn: (...args: Args) => R, options: LLMWrapOptions<ArgumentsOf<Args>, R>): LLMWrapped<Args, R> {
  if (typeof fn !== 'function') throw new InvalidArgumentError('llm.wrap takes the function to cache')
  check(options)
  const { key, name = fn.name, model = '', options: ofCall, outcome, ...fixed } = options
  resolveCall(fixed, engine.settings)
  const ofAll = Object.keys(fixed).length === 0 ? undefined : fixed
  const wire = valueWire((result) => outcome?.(result as never))
  return async function wrapped(this: unknown, ...args: Args) {
    const answer = await engine.serve({
      request: { provider: 'function', model, kind: 'wrap', input: { name, key: key(...(args as ArgumentsOf<Args>)) } },
      wire,
      call: async () => {
        const result: unknown = await fn.apply(this, args)
        return isIterable(result) ? { parts: result } : { whole: result }
      },
      options: ofCall === undefined ? ofAll : { ...fixed, ...ofCall(...(args as ArgumentsOf<Args>)) },
    })
    return (answer.form === 'parts' ? answer.parts() : answer.whole()) as Awaited<ReturnType<LLMWrapped<Args, R>>>
  }
}

function check(options: object): void {
  const { key, name, model, options: ofCall, outcome } = (options ?? {}) as Partial<LLMWrapOptions<unknown[], unknown>>
  if (typeof key !== 'function') throw new InvalidOptionError('llm.wrap needs `key`, a function from the arguments to all that decides about the result: { key: (question) => question }')
  const unknown = Object.keys(options).find((option) => !NAMES.has(option))
  if (unknown !== undefined) throw new InvalidOptionError(`llm.wrap has no option '${unknown.slice(0, 40)}'. It has: ${[...NAMES].join(', ')}`)
  for (const [option, text] of Object.entries({ name, model })) if (text !== undefined && typeof text !== 'string') throw new InvalidOptionError(`${option} is a text`)
  for (const [option, hook] of Object.entries({ options: ofCall, outcome })) if (hook !== undefined && typeof hook !== 'function') throw new InvalidOptionError(`${option} is a function`)
}

function isIterable(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result
}
