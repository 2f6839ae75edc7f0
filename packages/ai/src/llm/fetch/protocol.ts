import type { Outcome } from '../wire.js'
import type { ServerSentEvent } from './events.js'
import type { Json } from './json.js'

/** How one API asks and answers. */
export interface Protocol {
  /** What is asked by it, and what is stored under it. */
  readonly kind: string
  /** How its addresses end. */
  readonly path: string
  /** What of a request decides about the answer, by name; `undefined` for one that is not to be cached. */
  inputOf(body: Json): Json | undefined
  /** Whether nothing that matters follows this event. */
  isLast(event: ServerSentEvent): boolean
  /** The plain answer that a stream comes to; `undefined` when it is not complete, or an error. May throw for what it does not understand. */
  join(events: readonly ServerSentEvent[]): Json | undefined
  /** A stream that comes to this plain answer. */
  split(whole: Json): Iterable<ServerSentEvent>
  /** `undefined` for what is no answer. */
  outcomeOf(whole: Json): Outcome | undefined
  /** Whether an event is there only because the caller asked to be told the usage. */
  isUsageOnly(event: ServerSentEvent): boolean
  /** Whether the caller wants to be told. */
  wantsUsage(body: Json): boolean
}
