/**
 * What the AI SDK and models say to each other, as far as it decides something here. The versions 2, 3 and 4 of that language (`ai` 5, 6 and 7) differ in much else,
 * which is carried as it is.
 */
export interface StreamPart {
  readonly type: string
  readonly [field: string]: unknown
}

/** A piece of an answer that is not streamed: a text, what the model thought, a call of a tool, a file, a source. */
export type Content = StreamPart

export interface GenerateResult {
  readonly content: readonly Content[]
  /** A word, or with version 3 an object that has it as `unified`. */
  readonly finishReason: unknown
  readonly usage: unknown
  readonly providerMetadata?: ProviderMetadata | undefined
  readonly warnings?: readonly unknown[] | undefined
  readonly request?: unknown
  readonly response?: ResponseMetadata | undefined
}

export interface ResponseMetadata {
  readonly id?: string | undefined
  readonly timestamp?: Date | undefined
  readonly modelId?: string | undefined
  readonly headers?: unknown
  readonly body?: unknown
}

/** By the name of a provider. */
export type ProviderMetadata = Readonly<Record<string, unknown>>
