import { InvalidArgumentError, TiercelError, type BatchContext, type CallOptions } from '@tiercel/core'
import { resolveCall, type CallSettings, type LLMCallOptions } from '../call-options.js'
import { scopeOfCall, type Scope } from '../scope.js'
import { savingOf } from '../usage.js'
import { askedFor, makeFor } from '../within.js'
import { isSound, readVector, recordOf, type VectorRecord } from './vector.js'
import { userTag, type Engine } from '../engine.js'
import type { ModelRequest } from '../request.js'

/** What a model is asked to embed: a text, or the tokens of one. */
export type Value = string | readonly number[]

/** Vectors as a model gives them, one for each value. */
export interface Vectors {
  readonly vectors: readonly ArrayLike<number>[]
  /** Tokens of all of them together, if that is known. */
  readonly tokens?: number | undefined
}

/** A request for the vectors of many values. */
export interface Batch<V extends Value> {
  /** What is asked, but for the values. */
  readonly request: ModelRequest
  readonly values: readonly V[]
  /** Asks the model for those that are missing, each once, in the order in which they were given. The signal is that of all who wait for any of them. */
  ask(missing: V[], signal: AbortSignal): Promise<Vectors>
  readonly options?: LLMCallOptions | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Embedded {
  /** In the order of the values. Shared with the cache: to be read, never written. */
  readonly vectors: readonly Float32Array[]
  /** How many of the values the model was not asked for. */
  readonly hits: number
  /** Tokens that were not paid for again. */
  readonly savedTokens: number
}

/**
 * The vectors of a batch. Each value is cached by itself, so that a batch asks the model for those only which no batch before it has had; what other calls are asking for,
 * here or in another process, is waited for.
 *
 * @throws {InvalidOptionError} for bad options of the call. Whatever `ask` throws. The reason of the signal.
 */
export async function embedEach<V extends Value>(engine: Engine, batch: Batch<V>): Promise<Embedded> {
  const settings = resolveCall(batch.options, engine.settings)
  batch.signal?.throwIfAborted()
  const scope = scopeOfCall(engine.settings.scope, settings.scope)
  const keys = scope === undefined ? undefined : keysOf(engine, batch, scope)
  if (scope === undefined || keys === undefined) {
    engine.figures.refuse({ ...aboutOf(batch.request), key: undefined }, scope === undefined ? 'scope' : 'request')
    return pass(batch)
  }
  if (keys.includes(askedFor(batch.signal) ?? '')) {
    engine.figures.refuse({ ...aboutOf(batch.request), key: undefined }, 'nested')
    return pass(batch)
  }
  const wanted = new Map(keys.map((key, i) => [key, batch.values[i] as V]))
  const load = new BatchLoad(engine, batch, wanted)
  const ours = [engine.keys.tagOfScope(scope), engine.keys.tagOfModel(batch.request.model)]
  const options = optionsOf(settings, [...ours, ...settings.tags.map(userTag)], batch.signal)
  let records: Map<string, VectorRecord>
  try {
    records = await find(engine, load, settings, options)
  } catch (error) {
    // The cache is closed, say. That is no reason not to ask the model.
    if (load.hasAsked || batch.signal?.aborted === true || !TiercelError.is(error)) throw error
    return pass(batch)
  }
  const hits = [...records].filter(([key]) => !load.asked.has(key))
  for (const [key, record] of hits) tellHit(engine, batch.request, key, record)
  return {
    vectors: keys.map((key) => vectorOf(records.get(key))),
    hits: keys.filter((key) => !load.asked.has(key)).length,
    savedTokens: hits.reduce((sum, [, { tokens }]) => sum + tokens, 0),
  }
}

/** `undefined` for a request that has no identity. */
function keysOf<V extends Value>({ keys }: Engine, { request, values }: Batch<V>, scope: Scope): string[] | undefined {
  try {
    return values.map((value) => keys.of({ ...request, input: { ...request.input, value } }, scope))
  } catch {
    return undefined
  }
}

async function find<V extends Value>({ cache }: Engine, load: BatchLoad<V>, settings: CallSettings, options: CallOptions): Promise<Map<string, VectorRecord>> {
  const found = await cache.getOrSetMany<unknown>(load.keys, load.run, options)
  const records = new Map<string, VectorRecord>()
  const useless: string[] = []
  for (const key of load.keys) {
    const record = readVector(found.get(key)) ?? load.asked.get(key)
    if (record !== undefined && (load.asked.has(key) || Date.now() - record.createdAt <= settings.maxAgeMs)) records.set(key, record)
    else useless.push(key)
  }
  if (useless.length === 0) return records
  // Too old for this call, or nothing that was stored here.
  await cache.getOrSetMany<unknown>(useless, load.run, { ...options, bypass: options.bypass === 'write' ? 'both' : 'read' })
  for (const key of useless) {
    const record = load.asked.get(key)
    if (record !== undefined) records.set(key, record)
  }
  return records
}

/** Asks the model for what is missing, and keeps what it gave: the cache may serve a value without storing it, and then has no copy. */
class BatchLoad<V extends Value> {
  readonly asked = new Map<string, VectorRecord>()
  hasAsked = false
  readonly #engine: Engine
  readonly #batch: Batch<V>
  readonly #wanted: ReadonlyMap<string, V>

  constructor(engine: Engine, batch: Batch<V>, wanted: ReadonlyMap<string, V>) {
    this.#engine = engine
    this.#batch = batch
    this.#wanted = wanted
  }

  get keys(): string[] {
    return [...this.#wanted.keys()]
  }

  readonly run = async (missing: string[], ctx: BatchContext): Promise<[string, VectorRecord][]> => {
    this.hasAsked = true
    const { figures } = this.#engine
    const values = missing.map((key) => this.#wanted.get(key) as V)
    for (const key of missing) figures.miss({ ...aboutOf(this.#batch.request), key })
    const given = await makeFor(missing[0] ?? '', ctx.signal, () => this.#batch.ask(values, ctx.signal))
    return checked(given, values).map((record, i) => {
      const key = missing[i] as string
      this.asked.set(key, record)
      if (isSound(record)) return [key, record]
      figures.refuse({ ...aboutOf(this.#batch.request), key }, 'form')
      return [key, ctx.for(key).skip(record)]
    })
  }
}

async function pass<V extends Value>({ values, ask, signal }: Batch<V>): Promise<Embedded> {
  const records = checked(await ask([...values], signal ?? new AbortController().signal), values)
  return { vectors: records.map(({ vector }) => vector), hits: 0, savedTokens: 0 }
}

function checked({ vectors, tokens = 0 }: Vectors, values: readonly Value[]): VectorRecord[] {
  if (vectors.length !== values.length) throw new InvalidArgumentError(`A model was asked for the vectors of ${values.length} values and gave ${vectors.length}`)
  const length = values.reduce((sum, value) => sum + value.length, 0)
  return vectors.map((vector, i) => recordOf(vector, length === 0 ? 0 : Math.round((tokens * (values[i] as Value).length) / length)))
}

function optionsOf({ reads, stores, ttlMs }: CallSettings, tags: readonly string[], signal: AbortSignal | undefined): CallOptions {
  const bypass = reads ? (stores ? undefined : 'write') : stores ? 'read' : 'both'
  // Whatever the cache has as defaults: a vector is stored as it is said here.
  return { ttl: stores ? ttlMs : 0, grace: 0, softTimeout: 0, hardTimeout: 0, refresh: 0, bypass, tags, signal }
}

function tellHit({ figures, settings }: Engine, request: ModelRequest, key: string, { tokens, createdAt }: VectorRecord): void {
  const saving = savingOf({ inputTokens: tokens, outputTokens: 0 }, settings.prices, [request.model])
  figures.hit({ ...aboutOf(request), key }, Math.max(0, Date.now() - createdAt), saving)
}

function aboutOf({ provider, model, kind }: ModelRequest): { provider: string; model: string; kind: string } {
  return { provider, model, kind }
}

function vectorOf(record: VectorRecord | undefined): Float32Array {
  if (record === undefined) throw new InvalidArgumentError('A model gave no vector for a value')
  return record.vector
}
