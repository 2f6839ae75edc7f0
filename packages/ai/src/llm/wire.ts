import type { RefusalReason } from './refusal.js'
import type { Usage } from './usage.js'

/** Why a model stopped, in words that all providers share. */
export type FinishReason = 'stop' | 'tool-calls' | 'length' | 'content-filter' | 'error' | 'other'

/** What can be said of an answer once it is complete. */
export interface Outcome {
  /** One for each choice. */
  readonly finish: readonly FinishReason[]
  /** Neither text nor a tool call nor anything else in it. */
  readonly isEmpty: boolean
  readonly usage: Usage | undefined
  /** As the model calls itself. */
  readonly model: string | undefined
  /** Why it must not be stored though it is complete. */
  readonly refused?: RefusalReason | undefined
}

/** How one kind of thing is kept, and given to whoever reads it. */
export interface Shape<T> {
  /** What is stored of it: nothing that its reader could change. What it throws keeps the answer out of the cache. */
  pack(item: T): unknown
  /** One of the reader's own. */
  unpack(stored: unknown): T
  /** Whether it can be what `pack` has given: what is stored may have been written by anybody. Default: it can. */
  isPacked?(stored: unknown): boolean
  /** Another one like it: what one reader does to his, no other sees. */
  copy(item: T): T
  /** About how many bytes it takes. */
  bytesOf(item: T): number
  /** The same with no tokens used. */
  withoutUsage(item: T): T
}

/** How answers are spoken: in parts as they come, or as a whole. An answer in one form serves whoever wants the other. */
export interface Wire<Part, Whole> {
  /** Stored with every answer: what another wire has stored is not read. Change it when what `pack` gives changes. */
  readonly name: string
  /** Whether it can be the head of an answer: it may have been written by anybody. Default: it can. */
  isHead?(stored: unknown): boolean
  readonly part: Shape<Part>
  readonly whole: Shape<Whole>
  /** Of all parts of an answer. */
  join(parts: readonly Part[]): Whole
  split(whole: Whole): Iterable<Part>
  /** Whether nothing that matters follows this part. Who leaves after it does not break the answer off. */
  isLast(part: Part): boolean
  /** Of all parts of an answer; `undefined` when it is not complete. Throws for what it does not understand, which is then not stored. */
  outcomeOfParts(parts: readonly Part[]): Outcome | undefined
  outcomeOfWhole(whole: Whole): Outcome | undefined
}

/** What a call of a model gives, in whichever form the provider answered. */
export type Reply<Part, Whole> = PartsReply<Part> | WholeReply<Whole>

export interface PartsReply<Part> {
  /** What comes before the parts, plain JSON: kept and given as it is. */
  readonly head?: unknown
  readonly parts: AsyncIterable<Part>
  /** Why it must not be stored, if it must not. */
  readonly refused?: RefusalReason | undefined
}

export interface WholeReply<Whole> {
  readonly head?: unknown
  readonly whole: Whole
  readonly refused?: RefusalReason | undefined
}
