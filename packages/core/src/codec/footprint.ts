/**
 * Rough sizes in a 64-bit V8 heap, in bytes. They are meant to bound a cache's memory, not to account for it:
 * headers and slots are averages over the shapes V8 chooses between.
 */
export const containerBytes = 32
export const slotBytes = 8
export const scalarBytes = 8
const stringHeaderBytes = 16
const sampledFrom = 64
const samples = 8

/** V8 keeps a string at one byte a character until a single character needs two. Long strings are sampled for one. */
export function stringBytes(text: string): number {
  const length = text.length
  if (length < sampledFrom) return stringHeaderBytes + length
  const step = Math.floor(length / samples)
  for (let at = 0; at < length; at += step) {
    if (text.charCodeAt(at) > 0xff) return stringHeaderBytes + 2 * length
  }
  return stringHeaderBytes + length
}
