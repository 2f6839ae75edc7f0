/**
 * An entry in Redis, version 1. Numbers are little-endian, times are milliseconds of Redis time in 48 bits.
 *
 *      0  2  magic, "Tc"
 *      2  1  version of this layout
 *      3  1  id of the codec
 *      4  6  soft expiry: from then on the value serves as grace only. Scripts zero it in place, so it stands at a fixed
 *            offset and outside of the checksum
 *     10  4  CRC-32 of bytes 0 to 3 and of everything from byte 14
 *     14  1  flags
 *     15  8  hash of the key
 *     23  6  hard expiry
 *     29  6  the TTL the entry was stored with
 *     35  4  length of the whole entry
 *     39  2  number of tags
 *     41     etag if there is one; for each tag, sorted, the tag and its token; the payload up to the end
 */
export const at = {
  magic: 0,
  version: 2,
  codec: 3,
  softExpiry: 4,
  checksum: 10,
  flags: 14,
  keyHash: 15,
  hardExpiry: 23,
  ttl: 29,
  length: 35,
  tagCount: 39,
  strings: 41,
} as const

export const magic = 0x6354
export const entryVersion = 1
export const timeBytes = 6
export const maxTime = 2 ** 48 - 1
export const maxTags = 0xffff

/** Where a script finds the soft expiry, to zero it: `SETRANGE key softExpiryOffset` with `softExpiryBytes` NULs. */
export const softExpiryOffset = at.softExpiry
export const softExpiryBytes = timeBytes

export const flag = {
  /** The value is `null` and there is no payload. */
  isNull: 1,
  compressed: 2,
  /** Compressed with brotli rather than gzip. */
  brotli: 4,
  encrypted: 8,
  etag: 16,
  /** The payload is ASCII, which is decoded many times faster than UTF-8 that might be anything. */
  ascii: 32,
  /** The payload, decompressed and decrypted, is the content of a Buffer as it is. Only the default codec's entries have it. */
  bytes: 64,
} as const

export const allFlags = 127
