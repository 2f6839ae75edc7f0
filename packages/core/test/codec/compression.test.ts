import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { resolveCompression, type CompressionOption } from '../../src/codec/index.js'
import { compress, expand } from '../../src/codec/compression.js'
import { InvalidOptionError } from '../../src/errors/index.js'

const text = Buffer.from('the same again and again, '.repeat(100))
const noise = Buffer.from(Array.from({ length: 2000 }, (_, i) => Math.imul(i ^ 0x5bd1e995, 0x9e3779b1 ^ (i << 7)) >>> 24))

describe('compression', () => {
  it.each(['gzip', 'brotli'] as const)('of %s makes repetitive bytes fewer and gives them back', async (algorithm) => {
    const small = await compress(text, algorithm)
    expect(small?.length).toBeLessThan(text.length / 10)
    expect(await expand(small ?? text, algorithm)).toEqual(text)
  })

  it.each(['gzip', 'brotli'] as const)('of %s is dropped when it does not help', async (algorithm) => {
    expect(await compress(noise.subarray(0, 40), algorithm)).toBeUndefined()
  })

  it('stops expanding at its limit', async () => {
    const bombs = { gzip: gzipSync(Buffer.alloc(1 << 20)), brotli: brotliCompressSync(Buffer.alloc(1 << 20)) }
    await expect(expand(bombs.gzip, 'gzip', 1 << 16)).rejects.toThrow(RangeError)
    await expect(expand(bombs.brotli, 'brotli', 1 << 16)).rejects.toThrow(RangeError)
  })

  it('is off by default, and 1024 bytes of gzip when it is on', () => {
    expect(resolveCompression(undefined)).toBeUndefined()
    expect(resolveCompression(false)).toBeUndefined()
    expect(resolveCompression(true)).toEqual({ minBytes: 1024, algorithm: 'gzip' })
    expect(resolveCompression({ algorithm: 'brotli' })).toEqual({ minBytes: 1024, algorithm: 'brotli' })
    expect(resolveCompression({ minBytes: 0 })).toEqual({ minBytes: 0, algorithm: 'gzip' })
  })

  it.each([null, 'gzip', 5, { minBytes: -1 }, { minBytes: 1.5 }, { minBytes: '1' }, { algorithm: 'zstd' }, { level: 9 }])(
    'cannot be %o',
    (option) => {
      expect(() => resolveCompression(option as CompressionOption)).toThrow(InvalidOptionError)
    },
  )
})
