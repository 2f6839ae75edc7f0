import { InvalidArgumentError, InvalidOptionError } from '@tiercel/core'
import { embedEach } from './embed-each.js'
import type { LLMCallOptions } from '../call-options.js'
import type { Engine } from '../engine.js'

/** Gives the vector of each text, in the same order. The signal is aborted once nobody waits for them any more. */
export type EmbedFunction = (values: string[], signal: AbortSignal) => PromiseLike<readonly (readonly number[])[]>

/** What makes the vectors of one function other ones than those of another. */
export interface EmbedFunctionOptions {
  /** The id of the model. Part of every key, so another model gives other vectors. */
  readonly model: string
  /** Who runs it. Part of every key. Default `'function'`. */
  readonly provider?: string | undefined
  /** What else decides about the vectors, such as their dimensions: any plain data. Part of every key. */
  readonly variant?: unknown
}

/** Options of one call. */
export type EmbedCallOptions = LLMCallOptions & {
  /** Gives up waiting. */
  readonly signal?: AbortSignal | undefined
}

/** The same function behind a cache. */
export type CachedEmbedFunction = (values: readonly string[], options?: EmbedCallOptions) => Promise<number[][]>

const NAMES = ['model', 'provider', 'variant']

/** @throws {InvalidOptionError} @throws {InvalidArgumentError} */
export function embedFunction(engine: Engine, embed: EmbedFunction, options: EmbedFunctionOptions): CachedEmbedFunction {
  if (typeof embed !== 'function') throw new InvalidArgumentError('embeddings takes a function that gives the vector of each text')
  const { model, provider = 'function', variant } = checked(options)
  const request = { provider, model, kind: 'embedding', input: { variant } }
  return async (values, { signal, ...callOptions } = {}) => {
    if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) throw new InvalidArgumentError('What is embedded is a list of texts')
    const { vectors } = await embedEach<string>(engine, {
      request,
      values,
      ask: async (missing, signalOfAll) => ({ vectors: await embed(missing, signalOfAll) }),
      options: callOptions,
      signal,
    })
    return vectors.map((vector) => [...vector])
  }
}

function checked(options: EmbedFunctionOptions): EmbedFunctionOptions {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError("embeddings of a function need to know its model: { model: 'text-embedding-3-small' }")
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`embeddings has no option '${unknown.slice(0, 40)}'. It has: ${NAMES.join(', ')}`)
  const { model, provider = 'function' } = options
  for (const [name, value] of Object.entries({ model, provider })) {
    if (typeof value !== 'string' || value === '') throw new InvalidOptionError(`${name} is a text that is not empty`)
  }
  return options
}
