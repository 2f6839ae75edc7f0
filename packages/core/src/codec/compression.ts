import { promisify } from 'node:util'
import { brotliCompress, brotliDecompress, constants, gunzip, gzip } from 'node:zlib'
import { InvalidOptionError } from '../errors/index.js'

export type CompressionAlgorithm = 'gzip' | 'brotli'

/**
 * Whether large values are compressed on their way to Redis. `true` is all defaults. Entries are read whatever this says.
 */
export type CompressionOption = boolean | {
  /** Size in bytes from which compressing is tried. Default 1024. */
  readonly minBytes?: number
  /** Default `'gzip'`. Brotli makes smaller entries for more work. */
  readonly algorithm?: CompressionAlgorithm
}

/** A resolved `compression` option. */
export interface Compression {
  readonly minBytes: number
  readonly algorithm: CompressionAlgorithm
}

/** What one entry may grow to when it is decompressed: eight times the largest value, which escapes in JSON can amount to. */
export const maxExpandedBytes = 128 * 1024 * 1024
const defaultMinBytes = 1024
// Brotli's own default of 11 is meant for files that are compressed once; 4 takes about as long as gzip.
const brotliQuality = 4

// The asynchronous forms work in libuv's thread pool, so that a large value does not hold up the event loop.
const [gzipBytes, gunzipBytes] = [promisify(gzip), promisify(gunzip)]
const [brotliBytes, unbrotliBytes] = [promisify(brotliCompress), promisify(brotliDecompress)]

/** @throws InvalidOptionError for anything a CompressionOption cannot be. */
export function resolveCompression(option: CompressionOption | undefined): Compression | undefined {
  if (option === undefined || option === false) return undefined
  if (option === true) return { minBytes: defaultMinBytes, algorithm: 'gzip' }
  if (typeof option !== 'object' || option === null) {
    throw new InvalidOptionError('The option compression must be true, false or an object.')
  }
  const { minBytes = defaultMinBytes, algorithm = 'gzip', ...unknown } = option
  const [stranger] = Object.keys(unknown)
  if (stranger !== undefined) throw new InvalidOptionError(`There is no option compression.${stranger}; it has minBytes and algorithm.`)
  if (!Number.isSafeInteger(minBytes) || minBytes < 0) {
    throw new InvalidOptionError('The option compression.minBytes must be a whole number of bytes, zero or more.')
  }
  if (algorithm !== 'gzip' && algorithm !== 'brotli') {
    throw new InvalidOptionError("The option compression.algorithm must be 'gzip' or 'brotli'.")
  }
  return { minBytes, algorithm }
}

/** The compressed bytes, or `undefined` if they would not be fewer. */
export async function compress(bytes: Uint8Array, algorithm: CompressionAlgorithm): Promise<Buffer | undefined> {
  const small = algorithm === 'gzip'
    ? await gzipBytes(bytes)
    : await brotliBytes(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength },
    })
  return small.length < bytes.byteLength ? small : undefined
}

/** Rejects for damaged input, and for input that grows past the limit: a small entry must not fill the memory. */
export function expand(bytes: Uint8Array, algorithm: CompressionAlgorithm, maxOutputLength = maxExpandedBytes): Promise<Buffer> {
  return algorithm === 'gzip' ? gunzipBytes(bytes, { maxOutputLength }) : unbrotliBytes(bytes, { maxOutputLength })
}
