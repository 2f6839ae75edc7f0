const tagOfTypedArray = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get

const viewKinds = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
}
type ViewKind = keyof typeof viewKinds

/** The kinds of byte containers that are carried. */
export type BytesKind = ViewKind | 'Buffer' | 'ArrayBuffer'

/** Which kind of byte container this is; `undefined` for one that is not carried, as a later JavaScript may add. */
export function bytesKind(value: ArrayBufferView | ArrayBuffer): BytesKind | undefined {
  if (!ArrayBuffer.isView(value)) return 'ArrayBuffer'
  if (Buffer.isBuffer(value)) return 'Buffer'
  const tag = (tagOfTypedArray?.call(value) as string | undefined) ?? 'DataView'
  return Object.hasOwn(viewKinds, tag) ? (tag as ViewKind) : undefined
}

/** Kind and content as text. Elements are in the byte order of the machine, which is little-endian wherever Node.js is commonly run. */
export function bytesToText(value: ArrayBufferView | ArrayBuffer): [kind: string, base64: string] {
  const bytes = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value)
  return [bytesKind(value) ?? 'Uint8Array', bytes.toString('base64')]
}

/** Throws for a kind that does not exist and for content that is not a whole number of its elements. */
export function bytesFromText([kind, base64]: [kind: string, base64: string]): ArrayBufferView | ArrayBuffer {
  const bytes = Buffer.from(base64, 'base64')
  if (kind === 'Buffer') return bytes
  // Copied out of the pool that small Buffers share: a view must not reach its neighbours through `.buffer`.
  const own = new Uint8Array(bytes).buffer
  if (kind === 'ArrayBuffer') return own
  if (!Object.hasOwn(viewKinds, kind)) throw new TypeError('unknown kind of bytes')
  const View: new (content: ArrayBuffer) => ArrayBufferView = viewKinds[kind as ViewKind]
  return new View(own)
}
