import { readFile } from 'node:fs/promises'
import type { Kind } from './call.js'

/** What an API answers, in pieces: the events of a stream, or one piece that is the whole. */
export interface Wire {
  readonly contentType: string
  readonly events: readonly string[]
  /** How many events at the end say that the stream is complete. */
  readonly terminators: number
}

/** A plain answer. */
export const whole = (body: unknown): Wire => ({ contentType: 'application/json', events: [JSON.stringify(body)], terminators: 0 })

/** Reads the transcript of this name: the text as the API sends it, as one document or as a stream. */
export async function transcript(kind: Kind, name: string, body: Readonly<Record<string, unknown>>): Promise<Wire> {
  const file = new URL(`transcripts/${kind}/${name}.${body.stream === true ? 'sse' : 'json'}`, import.meta.url)
  const text = await readFile(file, 'utf8')
  if (body.stream !== true) return whole(JSON.parse(text))
  const events = text.split(/(?<=\n\n)/)
  const { include_usage: usage = false } = (body.stream_options ?? {}) as { include_usage?: boolean }
  return { contentType: 'text/event-stream; charset=utf-8', events: kind === 'chat' && !usage ? events.filter((event) => !event.includes('"choices":[]')) : events, terminators: 1 }
}

/** An error as the API words it: a document, and what it is as an event of a stream. */
export function errorOf(kind: Kind, status: number): { readonly document: Wire; readonly event: string } {
  const message = 'The upstream was asked to fail.'
  if (kind === 'messages') {
    const error = { type: 'error', error: { type: status === 529 ? 'overloaded_error' : 'api_error', message }, request_id: 'req_01C0ffee' }
    return { document: whole(error), event: `event: error\ndata: ${JSON.stringify(error)}\n\n` }
  }
  const error = { message, type: status < 500 ? 'invalid_request_error' : 'server_error', param: null, code: null }
  const inStream = kind === 'responses' ? `event: error\ndata: ${JSON.stringify({ ...error, type: 'error', code: 'server_error', sequence_number: 9 })}\n\n` : `data: ${JSON.stringify({ error })}\n\n`
  return { document: whole({ error }), event: inStream }
}
