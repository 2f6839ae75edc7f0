import { readUint32 } from './little-endian.js'

/**
 * Strings inside an entry: a 32-bit length in bytes and the characters, in UTF-8. A string with a lone surrogate has no UTF-8 form; it is
 * stored in UTF-16 and the length's top bit says so. Short ASCII strings, which tags and tokens are, never leave JavaScript.
 */
const lengthBytes = 4
const utf16Bit = 0x8000_0000
const copiedByHandUpTo = 64
const loneSurrogate = /\p{Surrogate}/u

/** What a string takes in an entry, its length included. */
export function packedLength(text: string): number {
  if (isShortAscii(text)) return lengthBytes + text.length
  return lengthBytes + (loneSurrogate.test(text) ? 2 * text.length : Buffer.byteLength(text))
}

/** Gives the offset after the string. */
export function packString(text: string, bytes: Buffer, offset: number): number {
  const start = offset + lengthBytes
  if (isShortAscii(text)) {
    bytes.writeUInt32LE(text.length, offset)
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i)
    return start + text.length
  }
  const wide = loneSurrogate.test(text)
  const length = bytes.write(text, start, wide ? 'utf16le' : 'utf8')
  bytes.writeUInt32LE(wide ? length + utf16Bit : length, offset)
  return start + length
}

/** The offset after the packed string at `offset`; negative if it does not end by `end`. */
export function packedEnd(bytes: Buffer, offset: number, end: number): number {
  if (offset + lengthBytes > end) return -1
  const next = offset + lengthBytes + (readUint32(bytes, offset) & ~utf16Bit)
  return next > end ? -1 : next
}

/** Reads the string from `offset` to `next`, as `packedEnd` gave it. */
export function unpackString(bytes: Buffer, offset: number, next: number): string {
  const wide = readUint32(bytes, offset) >= utf16Bit
  return bytes.toString(wide ? 'utf16le' : 'utf8', offset + lengthBytes, next)
}

function isShortAscii(text: string): boolean {
  if (text.length > copiedByHandUpTo) return false
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false
  }
  return true
}
