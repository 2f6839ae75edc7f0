import { EventEmitter } from 'node:events'

/** Classes of which no two instances are equal. Sockets, streams and requests are emitters; signals are targets. */
const KINDS: readonly unknown[] = [
  Function,
  Symbol,
  Promise,
  WeakMap,
  WeakSet,
  WeakRef,
  EventEmitter,
  EventTarget,
  ReadableStream,
  WritableStream,
  TransformStream,
  Request,
  Response,
  FormData,
  Blob,
]

/** What the type of a parameter says about its arguments, as `emitDecoratorMetadata` writes it down. A class of the application may still be given plain objects. */
export function hasNoIdentity(type: unknown): type is { readonly name: string } {
  if (typeof type !== 'function' || typeof (type.prototype as { toCacheKey?: unknown } | undefined)?.toCacheKey === 'function') return false
  return KINDS.some((kind) => type === kind || type.prototype instanceof (kind as new () => unknown))
}
