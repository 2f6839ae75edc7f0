import { resolveCall, type CallSettings, type LLMCallOptions } from '../call-options.js'
import { refusalOf } from '../policy.js'
import { readRecord, recordOf } from '../record.js'
import { scopeOfCall, type Scope } from '../scope.js'
import { savingOf } from '../usage.js'
import { loadLangChain } from './library.js'
import { langChainWire } from './wire.js'
import { userTag, type Engine } from '../engine.js'
import type { ModelRequest } from '../request.js'
import type { Wire } from '../wire.js'
import type { ChatGenerationChunk, ChatResult } from '@langchain/core/outputs'

/** What a model of LangChain gives, and takes from its `cache`. */
export interface LangChainGeneration {
  text: string
  generationInfo?: Record<string, unknown>
}

/** What a model of LangChain takes as its `cache`. */
export interface LangChainCache {
  lookup(prompt: string, llmKey: string): Promise<LangChainGeneration[] | null>
  update(prompt: string, llmKey: string, value: LangChainGeneration[]): Promise<void>
}

interface Place {
  readonly key: string
  readonly scope: Scope
  readonly request: ModelRequest
}

/** What LangChain puts in a prompt in place of what is no text, so that two prompts are one that differ in an image. */
const PLACEHOLDER = /\[[a-z]+(?:[_-][a-z]+)*(?: file)?\]/
const MODEL = /(?:^|,)model(?:_?(?:name|id))?:"([^"]+)"/i
/** A signal to abort, as LangChain writes it. */
const SIGNAL = /(^|,)signal:\{\}(?=,|$)/

/**
 * A `BaseCache` of LangChain. It never throws: a model whose cache fails is a model without one.
 *
 * @throws {InvalidOptionError} for bad options.
 */
export function generationCache(engine: Engine, options: LLMCallOptions | undefined): LangChainCache {
  const settings = resolveCall(options, engine.settings)
  return {
    async lookup(prompt, llmKey) {
      try {
        return await find(engine, settings, prompt, llmKey)
      } catch {
        return null
      }
    },
    async update(prompt, llmKey, value) {
      try {
        await keep(engine, settings, prompt, llmKey, value)
      } catch {
        // Nothing is lost but a hit.
      }
    },
  }
}

async function find(engine: Engine, settings: CallSettings, prompt: string, llmKey: string): Promise<LangChainGeneration[] | null> {
  const place = placeOf(engine, settings, prompt, llmKey)
  const about = { ...aboutOf(llmKey), key: place?.key }
  if (place === undefined) {
    engine.figures.refuse(about, about.model === '' || PLACEHOLDER.test(prompt) ? 'request' : 'scope')
    return null
  }
  const wire = langChainWire(await loadLangChain())
  const record = settings.reads ? readRecord(await engine.cache.get(place.key), wire as Wire<unknown, unknown>) : undefined
  const ageMs = record === undefined ? Infinity : Math.max(0, Date.now() - record.createdAt)
  if (record === undefined || ageMs > settings.maxAgeMs) {
    engine.figures.miss(about)
    return null
  }
  const result = wire.whole.unpack(record.items[0])
  const saving = record.usage === null ? undefined : savingOf(record.usage, engine.settings.prices, [record.model ?? undefined])
  engine.figures.hit(about, ageMs, saving)
  return (engine.settings.hidesUsage ? wire.whole.withoutUsage(result) : result).generations as LangChainGeneration[]
}

async function keep(engine: Engine, settings: CallSettings, prompt: string, llmKey: string, value: LangChainGeneration[]): Promise<void> {
  const place = placeOf(engine, settings, prompt, llmKey)
  if (place === undefined) return
  const about = { ...aboutOf(llmKey), key: place.key }
  const { figures } = engine
  const wire: Wire<ChatGenerationChunk, ChatResult> = langChainWire(await loadLangChain())
  const result = { generations: value as ChatResult['generations'] }
  const outcome = wire.outcomeOfWhole(result)
  const bytes = wire.whole.bytesOf(result)
  const { policy } = engine.settings
  const refusal = !settings.stores ? 'no-store' : bytes > policy.maxBytes ? 'too-large' : refusalOf(policy, place.request, outcome, bytes, () => result)
  if (refusal !== undefined) {
    figures.refuse(about, refusal)
    return
  }
  const record = recordOf({ wire: wire.name, form: 'whole', items: [wire.whole.pack(result)], head: null }, outcome, Date.now())
  const tags = [engine.keys.tagOfScope(place.scope), engine.keys.tagOfModel(place.request.model), ...settings.tags.map(userTag)]
  await engine.cache.set(place.key, record, { ttl: settings.ttlMs, grace: 0, tags })
  figures.store(about, bytes, settings.ttlMs)
}

/** Where the answer is kept; `undefined` when the prompt does not say all that was asked, the key does not say of which model, or nobody can say whose it is. */
function placeOf(engine: Engine, settings: CallSettings, prompt: string, llmKey: string): Place | undefined {
  const scope = scopeOfCall(engine.settings.scope, settings.scope)
  const about = aboutOf(llmKey)
  if (scope === undefined || about.model === '' || PLACEHOLDER.test(prompt)) return undefined
  const request: ModelRequest = { ...about, input: { prompt, llmKey: llmKey.replace(SIGNAL, '') } }
  return { key: engine.keys.of(request, scope), scope, request }
}

/** Which model it is only LangChain’s own key says, and it does not of each: those may be any. */
function aboutOf(llmKey: string): { provider: string; model: string; kind: string } {
  return { provider: 'langchain', model: MODEL.exec(llmKey)?.[1] ?? '', kind: 'langchain text' }
}
