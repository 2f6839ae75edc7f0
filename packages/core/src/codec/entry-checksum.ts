import { crc32 } from 'node:zlib'
import { at } from './entry-layout.js'
import { readUint32 } from './little-endian.js'

// The bytes before the soft expiry are the same for every entry of a codec, so their part of the checksum is computed once.
const prefixes = new Map<number, number>()

/** The CRC-32 of an entry without its soft expiry and the checksum itself. */
export function checksum(entry: Buffer): number {
  const prefix = readUint32(entry, at.magic)
  let seed = prefixes.get(prefix)
  if (seed === undefined) {
    seed = crc32(entry.subarray(at.magic, at.softExpiry))
    // Readers get here with an own magic and version only, which leaves at most the 256 codec ids.
    prefixes.set(prefix, seed)
  }
  return crc32(entry.subarray(at.flags), seed)
}
