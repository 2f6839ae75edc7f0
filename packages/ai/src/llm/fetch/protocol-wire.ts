import type { Shape, Wire } from '../wire.js'
import { formatEvent, parseEvents, type ServerSentEvent } from './events.js'
import { isHttpHead } from './http-head.js'
import { isObject, type Json } from './json.js'
import type { Protocol } from './protocol.js'
import { withoutTokens } from './tokens.js'

const encoder = new TextEncoder()
/** Throws for what is no UTF-8, and leaves a byte order mark where it is: what is stored must come to the same bytes. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The wire of a protocol over HTTP: its parts are events and its wholes documents, both as the bytes that came. */
export function wireOf(protocol: Protocol): Wire<Uint8Array, Uint8Array> {
  const eventsOf = (parts: readonly Uint8Array[]) => parts.flatMap((part) => parseEvents(decoder.decode(part)))
  const joined = (parts: readonly Uint8Array[]): Json => {
    const whole = protocol.join(eventsOf(parts))
    if (whole === undefined) throw new TypeError('The stream of the model is not a complete answer')
    return whole
  }
  return {
    name: protocol.kind,
    isHead: isHttpHead,
    part: { ...bytes, withoutUsage: eventWithoutUsage },
    whole: { ...bytes, withoutUsage: documentWithoutUsage },
    join: (parts) => encoder.encode(JSON.stringify(joined(parts))),
    *split(whole) {
      for (const event of protocol.split(documentOf(whole))) yield encoder.encode(formatEvent(event))
    },
    isLast: (part) => eventsIn(part).some((event) => protocol.isLast(event)),
    outcomeOfParts(parts) {
      const whole = protocol.join(eventsOf(parts))
      return whole === undefined ? undefined : protocol.outcomeOf(whole)
    },
    outcomeOfWhole: (whole) => protocol.outcomeOf(documentOf(whole)),
  }
}

/** Bytes, stored as the text they are. */
const bytes: Omit<Shape<Uint8Array>, 'withoutUsage'> = {
  pack: (item) => decoder.decode(item),
  unpack: (stored) => encoder.encode(stored as string),
  isPacked: (stored) => typeof stored === 'string',
  copy: (item) => item.slice(),
  bytesOf: (item) => item.length,
}

/** The events of a part that may be no UTF-8. */
function eventsIn(part: Uint8Array): ServerSentEvent[] {
  try {
    return parseEvents(decoder.decode(part))
  } catch {
    return []
  }
}

function documentOf(whole: Uint8Array): Json {
  const document: unknown = JSON.parse(decoder.decode(whole))
  if (!isObject(document)) throw new TypeError('The answer of the model is no object')
  return document
}

const WHOLE_EVENTS = /^(?:event|data|id|retry)?:.*(?:\r\n|\n|\r){2}$/s

/** What is not understood is given as it is, as it would be without a cache. */
function documentWithoutUsage(whole: Uint8Array): Uint8Array {
  if (!hasUsage(whole)) return whole
  try {
    return encoder.encode(JSON.stringify(withoutTokens(documentOf(whole))))
  } catch {
    return whole
  }
}

function eventWithoutUsage(part: Uint8Array): Uint8Array {
  // Nearly none has it, and all others stay byte for byte what they were.
  if (!hasUsage(part)) return part
  try {
    const text = decoder.decode(part)
    // A piece of something else, which would not be whole any more.
    if (!WHOLE_EVENTS.test(text)) return part
    const events = parseEvents(text).map(({ event, data }) => ({ event, data: JSON.stringify(withoutTokens(JSON.parse(data) as Json)) }))
    return encoder.encode(events.map(formatEvent).join(''))
  } catch {
    return part
  }
}

function hasUsage(text: Uint8Array): boolean {
  return /"usage"\s*:\s*\{/.test(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('latin1'))
}
