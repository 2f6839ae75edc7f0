/** Tokens of one answer. */
export interface Usage {
  readonly inputTokens: number
  /** Those of the input that the provider had cached itself, which are cheaper as a rule. Part of `inputTokens`. */
  readonly cachedInputTokens?: number | undefined
  readonly outputTokens: number
}

/** What a million tokens cost, in a currency of your choice. */
export interface Price {
  readonly input: number
  /** Default: as `input`. */
  readonly cachedInput?: number | undefined
  readonly output: number
}

/** Prices by the id of the model. */
export type Prices = Readonly<Record<string, Price>>

/** What an answer that was not asked for again did not cost. */
export interface Saving {
  readonly inputTokens: number
  readonly outputTokens: number
  /** `undefined` for a model that has no price. */
  readonly cost: number | undefined
}

/** @param models The ids under which the price may be: as the model was asked for, and as it called itself. */
export function savingOf({ inputTokens, cachedInputTokens = 0, outputTokens }: Usage, prices: Prices, models: readonly (string | undefined)[]): Saving {
  const model = models.find((name) => name !== undefined && Object.hasOwn(prices, name))
  const price = model === undefined ? undefined : prices[model]
  if (price === undefined) return { inputTokens, outputTokens, cost: undefined }
  const { input, cachedInput = input, output } = price
  const cost = ((inputTokens - cachedInputTokens) * input + cachedInputTokens * cachedInput + outputTokens * output) / 1_000_000
  return { inputTokens, outputTokens, cost }
}
