import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { errorOf, type Wire } from './transcript.js'
import type { Call } from './call.js'
import type { Plan, Turn } from './plan.js'

/** Sends an answer as planned. */
export async function deliver(response: ServerResponse, call: Call, wire: Wire, turn: Turn, requestId: string): Promise<void> {
  const { plan } = turn
  await turn.hold(0, call, response)
  if (response.destroyed) return
  response.writeHead(plan.status ?? 200, { ...headersOf(wire, plan, requestId), ...plan.headers })
  // The head by itself: who waits for the answer to begin is not to wait for its first event.
  response.flushHeaders()
  let sent = 0
  let offset = 0
  for (const event of eventsOf(call, wire, plan)) {
    const bytes = plan.gzip === true ? gzipSync(event) : Buffer.from(event)
    if (sent === plan.breakAfter) {
      await write(response, bytes.subarray(0, bytes.length >> 1))
      response.destroy()
      return
    }
    for (const piece of cut(bytes, offset, plan.splitAt)) await write(response, piece)
    offset += bytes.length
    await turn.hold(++sent, call, response)
  }
  response.end()
}

function eventsOf(call: Call, { events, terminators }: Wire, { errorAfter, terminator = true }: Plan): readonly string[] {
  if (errorAfter !== undefined) return [...events.slice(0, errorAfter), errorOf(call.kind, 529).event]
  return terminator ? events : events.slice(0, events.length - terminators)
}

function headersOf({ contentType }: Wire, { gzip = false }: Plan, requestId: string): Record<string, string> {
  return {
    'content-type': contentType,
    'x-request-id': requestId,
    'openai-processing-ms': '412',
    'x-ratelimit-remaining-requests': '9999',
    'set-cookie': '__cf_bm=upstream; path=/; HttpOnly',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  }
}

/** Each piece is a chunk of its own on the wire, and clients are given chunks one by one. */
function* cut(bytes: Buffer, offset: number, splitAt: Plan['splitAt'] = []): Generator<Buffer> {
  const places = splitAt === 'bytes' ? Array.from(bytes, (_, index) => index) : splitAt.map((place) => place - offset)
  let from = 0
  for (const place of [...places.filter((each) => each > 0 && each < bytes.length), bytes.length]) {
    yield bytes.subarray(from, place)
    from = place
  }
}

/** Settled when the system has the bytes, or nobody wants them any more. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    response.write(bytes, () => resolve())
  })
}
