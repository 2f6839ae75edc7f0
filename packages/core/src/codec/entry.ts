import { UncacheableValueError } from '../errors/index.js'
import type { ValueLimits } from './careful-walk.js'
import { createDefaultCodec, encodeWith, isTextCodec, resolveCodec, type Codec, type TextCodec } from './codec.js'
import { compress, expand, resolveCompression, type Compression, type CompressionAlgorithm, type CompressionOption } from './compression.js'
import { resolveEncryption, type Encryption, type EncryptionOption } from './encryption.js'
import { checksum } from './entry-checksum.js'
import type { CorruptEntry, EntryHeader } from './entry-header.js'
import { at, entryVersion, flag, magic, maxTags, maxTime, timeBytes } from './entry-layout.js'
import { writeKeyHash } from './key-hash.js'
import { packedLength, packString } from './packed-string.js'
import { defaultLimits, type ValueForm } from './survey.js'

/** The options that decide about an entry's bytes. */
export interface EntryFormatOptions {
  readonly codec?: Codec | undefined
  readonly compression?: CompressionOption | undefined
  readonly encryption?: EncryptionOption | undefined
  readonly limits?: ValueLimits | undefined
}

/** The resolved options. */
export interface EntryFormat {
  readonly codec: Codec | TextCodec
  /** Reads what was stored before there was a codec of the user's. */
  readonly defaultCodec: TextCodec
  readonly compression: Compression | undefined
  readonly encryption: Encryption | undefined
}

/** What goes into an entry. Times are in ms of Redis time, durations in ms. */
export interface EntryFields {
  readonly key: string
  readonly value: unknown
  readonly softExpiresAt: number
  readonly expiresAt: number
  readonly ttl: number
  readonly etag?: string | undefined
  /** Token by tag, the namespaces' among them. */
  readonly tags: ReadonlyMap<string, string>
  /** What `survey` said about the value, when it was asked before: it is not asked again. */
  readonly form?: ValueForm | undefined
}

/** A value, when the entry held one. */
export interface DecodedEntry {
  readonly corrupt?: undefined
  readonly value: unknown
}

type Tags = ReadonlyArray<readonly [tag: string, token: string]>

const nothing = Buffer.alloc(0)

/** @throws InvalidOptionError */
export function resolveEntryFormat(options: EntryFormatOptions = {}): EntryFormat {
  const limits = options.limits ?? defaultLimits
  return {
    codec: resolveCodec(options.codec, limits),
    defaultCodec: createDefaultCodec(limits),
    compression: resolveCompression(options.compression),
    encryption: resolveEncryption(options.encryption),
  }
}

/**
 * The bytes of an entry; a promise of them only when the value is large enough to be compressed. What they hold is settled before this
 * returns: changing the value or the tags later does not reach them.
 *
 * @throws UncacheableValueError, before it returns and never by the promise, for a value that cannot be encoded.
 */
export function encodeEntry(fields: EntryFields, format: EntryFormat): Buffer | Promise<Buffer> {
  const { codec, compression } = format
  const tags = sortedTags(fields.tags)
  if (fields.value === null) return assemble(fields, tags, format, nothing, flag.isNull)
  // Text of a Buffer would be a third longer, and cost more to make than all the rest.
  const isBytes = isTextCodec(codec) && Buffer.isBuffer(fields.value)
  const payload = isBytes ? (fields.value as Buffer) : isTextCodec(codec) ? codec.encodeText(fields.value, fields.form) : encodeWith(codec, fields.value)
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength
  const flags = isBytes ? flag.bytes : typeof payload === 'string' && length === payload.length ? flag.ascii : 0
  if (compression === undefined || length < compression.minBytes) return assemble(fields, tags, format, payload, flags, length)
  // A copy of a user codec's bytes too: it may use the same array for its next value.
  return assembleCompressed(fields, tags, format, Buffer.from(payload as string), flags, compression.algorithm)
}

/**
 * The value of an entry whose header was read; a promise of it only when it was compressed. Never throws or rejects.
 *
 * With encryption on, an entry that is not encrypted is refused: anybody could have written it.
 */
export function decodeEntry(
  header: EntryHeader,
  format: EntryFormat,
): DecodedEntry | CorruptEntry | Promise<DecodedEntry | CorruptEntry> {
  const { flags, entry, payloadOffset } = header
  const codec = header.codecId === format.codec.id ? format.codec : format.defaultCodec
  if (header.codecId !== codec.id) return { corrupt: 'codec' }
  const { encryption } = format
  if ((encryption !== undefined) !== ((flags & flag.encrypted) !== 0)) return { corrupt: 'decrypt' }
  // Text is decoded from the entry itself: a view of its part would cost more than a small value does.
  const asItIs = (flags & (flag.encrypted | flag.compressed | flag.isNull)) === 0
  if (asItIs && isTextCodec(codec)) return decodeOwn(codec, entry, payloadOffset, flags)

  let payload: Buffer | undefined = entry.subarray(payloadOffset)
  if (encryption !== undefined) payload = encryption.open(payload, authenticated(entry, payloadOffset, header.key))
  if (payload === undefined) return { corrupt: 'decrypt' }
  if (flags & flag.isNull) return payload.length === 0 ? { value: null } : { corrupt: 'payload' }
  if (flags & flag.compressed) {
    return expand(payload, flags & flag.brotli ? 'brotli' : 'gzip').then(
      (expanded) => decodePayload(codec, expanded, flags),
      () => ({ corrupt: 'payload' }),
    )
  }
  return decodePayload(codec, payload, flags)
}

function decodePayload(codec: Codec | TextCodec, payload: Buffer, flags: number): DecodedEntry | CorruptEntry {
  if (isTextCodec(codec)) return decodeOwn(codec, payload, 0, flags)
  try {
    return { value: codec.decode(payload) }
  } catch {
    return { corrupt: 'payload' }
  }
}

function decodeOwn(codec: TextCodec, bytes: Buffer, offset: number, flags: number): DecodedEntry | CorruptEntry {
  if (flags & flag.bytes) return { value: ownBytes(bytes, offset) }
  try {
    return { value: codec.decodeText(bytes.toString(flags & flag.ascii ? 'latin1' : 'utf8', offset)) }
  } catch {
    return { corrupt: 'payload' }
  }
}

/** A copy of its own, not in the pool that small Buffers share: the value may be kept for long, and would keep all that came with it. */
function ownBytes(bytes: Buffer, offset: number): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length - offset)
  bytes.copy(own, 0, offset)
  return own
}

async function assembleCompressed(
  fields: EntryFields,
  tags: Tags,
  format: EntryFormat,
  payload: Buffer,
  flags: number,
  algorithm: CompressionAlgorithm,
): Promise<Buffer> {
  const small = await compress(payload, algorithm)
  if (small === undefined) return assemble(fields, tags, format, payload, flags)
  return assemble(fields, tags, format, small, flags | flag.compressed | (algorithm === 'brotli' ? flag.brotli : 0))
}

function assemble(
  fields: EntryFields,
  tags: Tags,
  { codec, encryption }: EntryFormat,
  payload: Uint8Array | string,
  payloadFlags: number,
  length: number = payload.length,
): Buffer {
  const { key, etag } = fields
  const payloadOffset = at.strings + stringsLength(etag, tags)
  const total = payloadOffset + length + (encryption?.overhead ?? 0)
  const entry = Buffer.allocUnsafe(total)
  entry.writeUInt16LE(magic, at.magic)
  entry.writeUInt8(entryVersion, at.version)
  entry.writeUInt8(codec.id, at.codec)
  writeTime(entry, fields.softExpiresAt, at.softExpiry)
  const flags = payloadFlags | (etag === undefined ? 0 : flag.etag) | (encryption === undefined ? 0 : flag.encrypted)
  entry.writeUInt8(flags, at.flags)
  writeKeyHash(key, entry, at.keyHash)
  writeTime(entry, fields.expiresAt, at.hardExpiry)
  writeTime(entry, fields.ttl, at.ttl)
  entry.writeUInt32LE(total, at.length)
  entry.writeUInt16LE(tags.length, at.tagCount)

  let offset: number = at.strings
  if (etag !== undefined) offset = packString(etag, entry, offset)
  for (const [tag, token] of tags) offset = packString(token, entry, packString(tag, entry, offset))

  if (encryption !== undefined) {
    const plain = typeof payload === 'string' ? Buffer.from(payload) : payload
    entry.set(encryption.seal(plain, authenticated(entry, payloadOffset, key)), payloadOffset)
  } else if (typeof payload === 'string') {
    entry.write(payload, payloadOffset, flags & flag.ascii ? 'latin1' : 'utf8')
  } else {
    entry.set(payload, payloadOffset)
  }
  entry.writeUInt32LE(checksum(entry), at.checksum)
  return entry
}

/**
 * What encryption vouches for besides the value: version, codec, flags, hard expiry, TTL, etag and the tags with their tokens, which are the
 * bytes before the payload without soft expiry and checksum, and the whole key (in UTF-16, in which any two keys differ).
 */
function authenticated(entry: Buffer, payloadOffset: number, key: string): Buffer {
  return Buffer.concat([entry.subarray(0, at.softExpiry), entry.subarray(at.flags, payloadOffset), Buffer.from(key, 'utf16le')])
}

function sortedTags(tags: ReadonlyMap<string, string>): Tags {
  if (tags.size > maxTags) throw new UncacheableValueError('too-large', `An entry holds at most ${maxTags} tags.`)
  const list = [...tags]
  return list.length < 2 ? list : list.sort(([a], [b]) => (a < b ? -1 : 1))
}

function stringsLength(etag: string | undefined, tags: Tags): number {
  let length = etag === undefined ? 0 : packedLength(etag)
  for (const [tag, token] of tags) length += packedLength(tag) + packedLength(token)
  return length
}

/** A time that is no number becomes 0, which has passed: a miss is the safe mistake. */
function writeTime(entry: Buffer, time: number, offset: number): void {
  entry.writeUIntLE(time > 0 ? Math.min(Math.floor(time), maxTime) : 0, offset, timeBytes)
}
