// What `write` and `end` of a response take: a chunk, an encoding and a callback, of which each may be left out.

export function isBody(chunk: unknown): boolean {
  return typeof chunk === 'string' || chunk instanceof Uint8Array
}

/** The bytes. A copy: files and compression give the same memory out again. */
export function toBytes(chunk: unknown, encoding: unknown): Buffer | undefined {
  if (typeof chunk === 'string') return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  return chunk instanceof Uint8Array ? Buffer.from(chunk) : undefined
}

/** The callback of a write that goes nowhere is called all the same. */
export function swallow<T>(args: readonly unknown[], result: T): T {
  const callback = args.find((arg) => typeof arg === 'function') as (() => void) | undefined
  if (callback !== undefined) process.nextTick(callback)
  return result
}
