import { InvalidOptionError, UncacheableValueError } from '../errors/index.js'
import type { ValueLimits } from './careful-walk.js'
import { asUncacheable } from './failed-read.js'
import { richFromText, richToText } from './rich-text.js'
import { defaultLimits, survey, type ValueForm } from './survey.js'

/**
 * Turns values into bytes for Redis and back. Pass one as the `codec` option to use another format.
 *
 * @example
 * const msgpack: Codec = { id: 16, encode: (value) => pack(value), decode: (bytes) => unpack(bytes) }
 */
export interface Codec {
  /** 16 to 255, stored with every entry: an entry of another codec is a miss. Change it when the format changes. */
  readonly id: number
  /** What it throws makes the value uncacheable: it is served and not kept. `null` is never asked for. */
  encode(value: unknown): Uint8Array
  /** What it throws makes the entry a miss. The bytes belong to the entry: they may be kept but not written to. */
  decode(bytes: Uint8Array): unknown
}

/** The id of the codec that is used when none is given. 0 to 15 are reserved for codecs of Tiercel's own. */
export const defaultCodecId = 1
const firstUserId = 16
const lastUserId = 255

// No JSON text begins with this character, so plain JSON is stored as it is and can be read with redis-cli.
const richMark = '\u0001'

/** A codec whose bytes are UTF-8 text. Entries write and read the text itself, which saves a copy. */
export interface TextCodec extends Codec {
  encodeText(value: unknown, form?: ValueForm): string
  decodeText(text: string): unknown
}

/** The default: JSON for what is plain JSON, superjson for what is not. Refuses what `survey` refuses. */
export function createDefaultCodec(limits: ValueLimits = defaultLimits): TextCodec {
  const encodeText = (value: unknown, form = survey(value, limits).form): string => {
    try {
      return form === 'json' ? JSON.stringify(value) : richMark + richToText(value, limits)
    } catch (error) {
      throw asUncacheable(error)
    }
  }
  return {
    id: defaultCodecId,
    encodeText,
    decodeText,
    encode: (value) => Buffer.from(encodeText(value)),
    decode: (bytes) => decodeText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()),
  }
}

/** The default codec with the default limits. */
export const defaultCodec: TextCodec = createDefaultCodec()

// JSON.parse makes `__proto__` a field like any other, and superjson refuses it: neither ever sets a prototype.
function decodeText(text: string): unknown {
  return text.startsWith(richMark) ? richFromText(text.slice(richMark.length)) : JSON.parse(text)
}

/**
 * The codec to use for the `codec` option; the default one without it.
 *
 * @throws InvalidOptionError for what is no codec, or has an id outside of 16 to 255.
 */
export function resolveCodec(option: Codec | undefined, limits: ValueLimits = defaultLimits): Codec | TextCodec {
  if (option === undefined) return createDefaultCodec(limits)
  if (typeof option !== 'object' || option === null || typeof option.encode !== 'function' || typeof option.decode !== 'function') {
    throw new InvalidOptionError('The option codec must be an object with an id, an encode and a decode function.')
  }
  if (!Number.isInteger(option.id) || option.id < firstUserId || option.id > lastUserId) {
    throw new InvalidOptionError(`The id of a codec must be an integer from ${firstUserId} to ${lastUserId}; lower ones are reserved.`)
  }
  return option
}

/** Whether entries can take this codec's text as it is. */
export function isTextCodec(codec: Codec): codec is TextCodec {
  return codec.id === defaultCodecId
}

/** Runs a codec of the user's. Throws UncacheableValueError and nothing else. */
export function encodeWith(codec: Codec, value: unknown): Uint8Array {
  let bytes: unknown
  try {
    bytes = codec.encode(value)
  } catch (error) {
    throw new UncacheableValueError('codec', `The codec ${codec.id} could not encode the value.`, { cause: error })
  }
  if (!ArrayBuffer.isView(bytes)) throw new UncacheableValueError('codec', `The codec ${codec.id} must encode to a Uint8Array.`)
  return bytes as Uint8Array
}
