/**
 * The numbers of an entry, by hand: each method of the Buffer's own checks its arguments, and a header has some twenty numbers, which every hit in Redis reads.
 * That the bytes are there is for the caller to know.
 */
export function readUint16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8)
}

export function readUint32(bytes: Uint8Array, offset: number): number {
  return (readUint16(bytes, offset) | (readUint16(bytes, offset + 2) << 16)) >>> 0
}

export function readUint48(bytes: Uint8Array, offset: number): number {
  return readUint32(bytes, offset) + readUint16(bytes, offset + 4) * 2 ** 32
}

/** The lowest 32 bits of a number. */
export function writeUint32(bytes: Uint8Array, value: number, offset: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}
