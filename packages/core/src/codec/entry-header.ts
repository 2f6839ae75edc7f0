import { checksum } from './entry-checksum.js'
import { allFlags, at, entryVersion, flag, magic } from './entry-layout.js'
import { hasKeyHash } from './key-hash.js'
import { readUint16, readUint32, readUint48 } from './little-endian.js'
import { packedEnd, unpackString } from './packed-string.js'

/** Why an entry cannot be used. Each of them is a miss. */
export type CorruptReason = 'magic' | 'version' | 'truncated' | 'checksum' | 'key' | 'codec' | 'decrypt' | 'payload'

/** What the readers give in place of a header or value. They never throw. */
export interface CorruptEntry {
  readonly corrupt: CorruptReason
}

/** All of an entry but its value. */
export interface EntryHeader {
  readonly corrupt?: undefined
  /** The key the entry was read under, and checked to be written for. */
  readonly key: string
  /** When the entry stops being fresh, in ms of Redis time; 0 once `expire` was called on it. */
  readonly softExpiresAt: number
  /** When it stops being of any use, in ms of Redis time. */
  readonly expiresAt: number
  /** The TTL it was stored with, in ms. */
  readonly ttl: number
  readonly etag: string | undefined
  readonly tagCount: number
  readonly tagsOffset: number
  /** Whether the value is `null`, which is known without decoding. */
  readonly isNull: boolean
  readonly codecId: number
  readonly flags: number
  readonly entry: Buffer
  readonly payloadOffset: number
}

/** Checks the bytes found under `key` and reads all that is in front of the value, so that tokens are compared before it is decoded. */
export function readHeader(found: Uint8Array, key: string): EntryHeader | CorruptEntry {
  const entry = Buffer.isBuffer(found) ? found : Buffer.from(found.buffer, found.byteOffset, found.byteLength)
  const damage = findDamage(entry)
  if (damage !== undefined) return { corrupt: damage }
  if (!hasKeyHash(key, entry, at.keyHash)) return { corrupt: 'key' }

  const flags = entry[at.flags] as number
  const end = entry.length
  let offset: number = at.strings
  let etag: string | undefined
  if (flags & flag.etag) {
    const next = packedEnd(entry, offset, end)
    if (next < 0) return { corrupt: 'truncated' }
    etag = unpackString(entry, offset, next)
    offset = next
  }
  const tagsOffset = offset
  const tagCount = readUint16(entry, at.tagCount)
  for (let strings = 2 * tagCount; strings > 0; strings--) {
    offset = packedEnd(entry, offset, end)
    if (offset < 0) return { corrupt: 'truncated' }
  }
  return {
    key,
    softExpiresAt: readUint48(entry, at.softExpiry),
    expiresAt: readUint48(entry, at.hardExpiry),
    ttl: readUint48(entry, at.ttl),
    etag,
    tagCount,
    tagsOffset,
    isNull: (flags & flag.isNull) !== 0,
    codecId: entry[at.codec] as number,
    flags,
    entry,
    payloadOffset: offset,
  }
}

/** Each tag with its token. The entry is valid as long as each token is still that of its tag. */
export function tagsOf({ entry, tagCount, tagsOffset }: EntryHeader): (readonly [tag: string, token: string])[] {
  const tags: (readonly [string, string])[] = []
  for (let offset = tagsOffset; tags.length < tagCount; ) {
    const tagEnd = packedEnd(entry, offset, entry.length)
    const tokenEnd = packedEnd(entry, tagEnd, entry.length)
    tags.push([unpackString(entry, offset, tagEnd), unpackString(entry, tagEnd, tokenEnd)])
    offset = tokenEnd
  }
  return tags
}

/** A copy of the bytes that hold the tags and tokens, to compare other entries with. */
export function tagBytesOf({ entry, tagsOffset, payloadOffset }: EntryHeader): Buffer {
  return Buffer.from(entry.subarray(tagsOffset, payloadOffset))
}

/** Whether an entry has these very tags and tokens. By hand: they are few bytes, and a call into the Buffer's own comparison costs more. */
export function hasTagBytes({ entry, tagsOffset, payloadOffset }: EntryHeader, bytes: Buffer): boolean {
  if (payloadOffset - tagsOffset !== bytes.length) return false
  for (let i = 0; i < bytes.length; i++) if (entry[tagsOffset + i] !== bytes[i]) return false
  return true
}

function findDamage(entry: Buffer): CorruptReason | undefined {
  if (entry.length < at.strings) return hasForeignMagic(entry) ? 'magic' : 'truncated'
  if (readUint16(entry, at.magic) !== magic) return 'magic'
  // Before anything else is read: another version may have laid out the rest differently.
  if (entry[at.version] !== entryVersion) return 'version'
  const length = readUint32(entry, at.length)
  if (entry.length < length) return 'truncated'
  if (entry.length > length || readUint32(entry, at.checksum) !== checksum(entry)) return 'checksum'
  // A flag of no known meaning under a good checksum is a later writer's.
  return (entry[at.flags] as number) & ~allFlags ? 'version' : undefined
}

function hasForeignMagic(entry: Buffer): boolean {
  return entry.length >= 2 ? readUint16(entry, at.magic) !== magic : entry.length === 1 && entry[0] !== (magic & 0xff)
}
