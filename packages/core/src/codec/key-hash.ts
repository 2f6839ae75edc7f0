import { readUint32, writeUint32 } from './little-endian.js'

const firstSeed = 0x2545f491
const secondSeed = 0x7f4a7c15
// Odd, so that multiplying loses nothing.
const firstMultiplier = 0x9e3779b1
const secondMultiplier = 0x85ebca77
const expected = Buffer.alloc(8)

/**
 * Eight bytes that tell keys apart, so that an entry found under another key than it was written for is noticed: one renamed or copied
 * by another tool, or one whose long key was shortened to the same name. Two multiplicative 32-bit hashes computed here cost a fraction
 * of what a call into OpenSSL for SHA-256 does, and two CRCs would not do: with different seeds they still collide together. This finds
 * accidents. Whoever can write to Redis can forge it; the encryption option binds entries to their keys against that.
 */
export function writeKeyHash(key: string, bytes: Buffer, offset: number): void {
  let one = firstSeed ^ key.length
  let two = secondSeed ^ key.length
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i)
    // The shift brings high bits down again: multiplying alone only ever carries a character's influence upwards.
    one = Math.imul(one ^ unit, firstMultiplier)
    one ^= one >>> 15
    two = Math.imul(two ^ unit, secondMultiplier)
    two ^= two >>> 13
  }
  writeUint32(bytes, finish(one, secondMultiplier), offset)
  writeUint32(bytes, finish(two, firstMultiplier), offset + 4)
}

export function hasKeyHash(key: string, bytes: Buffer, offset: number): boolean {
  writeKeyHash(key, expected, 0)
  return readUint32(expected, 0) === readUint32(bytes, offset) && readUint32(expected, 4) === readUint32(bytes, offset + 4)
}

function finish(hash: number, multiplier: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), multiplier)
  return mixed ^ (mixed >>> 15)
}
