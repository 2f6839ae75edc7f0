import type { IncomingHttpHeaders } from 'node:http'

/** The APIs there are. */
export type Kind = 'chat' | 'responses' | 'messages' | 'embeddings'

/** A call as it arrived. */
export interface Call {
  readonly kind: Kind
  readonly body: Readonly<Record<string, unknown>>
  readonly headers: IncomingHttpHeaders
  /** How it ended: all was sent, the client went away before, or the plan was to break off. */
  readonly ended: Promise<'sent' | 'client gone' | 'broken off'>
}

export const kindOf = new Map<string, Kind>([
  ['/v1/chat/completions', 'chat'],
  ['/v1/responses', 'responses'],
  ['/v1/messages', 'messages'],
  ['/v1/embeddings', 'embeddings'],
])
