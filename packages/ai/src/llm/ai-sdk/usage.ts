import type { Usage } from '../usage.js'
import type { GenerateResult, ProviderMetadata, StreamPart } from './parts.js'

/** Reads usage in every shape it has had: plain numbers, or from version 3 on numbers in groups. */
export function usageOf(usage: unknown): Usage | undefined {
  const { inputTokens, outputTokens, cachedInputTokens } = (usage ?? {}) as Readonly<Record<string, unknown>>
  const input = total(inputTokens)
  const output = total(outputTokens)
  if (input === undefined && output === undefined) return undefined
  const cached = count((inputTokens as { cacheRead?: unknown } | undefined)?.cacheRead) ?? count(cachedInputTokens)
  return { inputTokens: input ?? 0, outputTokens: output ?? 0, ...(cached === undefined ? {} : { cachedInputTokens: cached }) }
}

/** What a hit reports: no tokens used, in the same shape, and those that were saved in `providerMetadata.tiercel`. */
export function unused<T extends StreamPart | GenerateResult>(item: T): T {
  const saved = usageOf(item.usage)
  const metadata: ProviderMetadata = { ...(item.providerMetadata as ProviderMetadata | undefined), tiercel: saved === undefined ? {} : { savedUsage: saved } }
  return { ...item, usage: zeroed(item.usage), providerMetadata: metadata }
}

function total(tokens: unknown): number | undefined {
  return count(tokens) ?? count((tokens as { total?: unknown } | undefined)?.total)
}

function count(tokens: unknown): number | undefined {
  return typeof tokens === 'number' && tokens >= 0 ? tokens : undefined
}

function zeroed(usage: unknown): unknown {
  if (typeof usage === 'number') return 0
  if (typeof usage !== 'object' || usage === null) return usage
  // `raw` is what the provider said, which is true of the saved usage only.
  return Object.fromEntries(Object.entries(usage).filter(([name]) => name !== 'raw').map(([name, tokens]) => [name, zeroed(tokens)]))
}
