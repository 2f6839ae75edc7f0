import { describe, expect, it } from 'vitest'
import * as fc from 'fast-check'
import { defaultCodec, resolveCodec, survey, type Codec } from '../../src/codec/index.js'
import { InvalidOptionError, UncacheableValueError } from '../../src/errors/index.js'
import { exact, plainer, refused } from './values.js'

const refusal = Symbol('refusal')

/** Lets every error through but the one that says that a value cannot be kept. */
function unlessRefused<T>(attempt: () => T): T | typeof refusal {
  try {
    return attempt()
  } catch (error) {
    if (error instanceof UncacheableValueError) return refusal
    throw error
  }
}

const thereAndBack = (value: unknown): unknown => defaultCodec.decode(defaultCodec.encode(value))

describe('the default codec', () => {
  it.each(exact)('gives back %s as it was', (_, value) => {
    expect(thereAndBack(value)).toStrictEqual(value)
  })

  it.each(plainer)('gives back %s as plain data', (_, value, read) => {
    expect(thereAndBack(value)).toStrictEqual(read)
  })

  it.each(refused)('refuses %s', (_, make, reason) => {
    expect(() => defaultCodec.encode(make())).toThrow(expect.objectContaining({ code: 'TIERCEL_UNCACHEABLE', reason }) as Error)
  })

  it('stores plain data as JSON', () => {
    const value = { a: [1, 'x', null] }
    expect(Buffer.from(defaultCodec.encode(value)).toString()).toBe(JSON.stringify(value))
  })

  it('gives errors back as errors of their kind', () => {
    const read = thereAndBack(new TypeError('no', { cause: 5 })) as Error
    expect(read).toBeInstanceOf(TypeError)
    expect({ message: read.message, cause: read.cause, stack: read.stack }).toEqual({ message: 'no', cause: 5, stack: 'TypeError: no' })
    expect(Object.keys(read)).toEqual([])
    class QuotaError extends Error {
      readonly limit = 5n
      override get name(): string { return 'QuotaError' }
    }
    const named = thereAndBack(new QuotaError('no')) as Error
    expect({ ...named }).toEqual({ limit: 5n })
    expect(String(named)).toBe('QuotaError: no')
    expect('cause' in named).toBe(false)
  })

  it('gives small views memory of their own', () => {
    const read = thereAndBack(new Uint8Array([1, 2])) as Uint8Array
    expect(read.buffer.byteLength).toBe(2)
  })

  it('gives shared parts back as copies', () => {
    const part = { at: new Date(1) }
    const read = thereAndBack([part, part]) as object[]
    expect(read).toStrictEqual([part, part])
    expect(read[0]).not.toBe(read[1])
  })

  it('decodes a field named __proto__ into a field, not a prototype', () => {
    const read = thereAndBack(JSON.parse('{"__proto__": {"admin": true}}')) as { admin?: boolean }
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
    expect(read.admin).toBeUndefined()
    expect(Object.hasOwn(read, '__proto__')).toBe(true)
  })

  it.each([
    '{"json":{},"meta":{"values":{"__proto__.admin":["undefined"]},"v":1}}',
    '{"json":{},"meta":{"values":{"__proto__":{"admin":["bigint"]}},"v":1}}',
    '{"json":{"a":"1"},"meta":{"values":{"constructor.prototype.a":["bigint"]},"v":1}}',
    '{"json":{"a":{}},"meta":{"referentialEqualities":{"a":["__proto__.admin"]},"v":1}}',
    '{"json":{"a":"x"},"meta":{"values":{"a":["constructor"]},"v":1}}',
    '{"json":{"a":"x"},"meta":{"values":{"a":[["class","Object"]]},"v":1}}',
    '{"json":{"a":"x"},"meta":{"values":{"a":[["custom","constructor"]]},"v":1}}',
    '{"json":{"a":["constructor","eA=="]},"meta":{"values":{"a":[["custom","bytes"]]},"v":1}}',
    '{"json":{"a":["Float64Array","eA=="]},"meta":{"values":{"a":[["custom","bytes"]]},"v":1}}',
    '{"json":null,"meta":5}',
    'null',
    '{',
  ])('does no harm with the forged text %s', (text) => {
    const before = Object.getOwnPropertyNames(Object.prototype)
    try {
      defaultCodec.decode(Buffer.from(`\u0001${text}`))
    } catch {
      // Throwing is as good as decoding to something harmless.
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })

  it('gives an error of a forged entry no prototype but that of errors', () => {
    const parts = '{"name":"__proto__","message":"m","fields":{"__proto__":{"admin":true}}}'
    const read = defaultCodec.decode(Buffer.from(`\u0001{"json":${parts},"meta":{"values":[["custom","error"]],"v":1}}`)) as Error
    expect(Object.getPrototypeOf(read)).toBe(Error.prototype)
    expect((read as { admin?: unknown }).admin).toBeUndefined()
  })

  it('is not changed by what an application registers with superjson', async () => {
    const { default: theirs } = await import('superjson')
    class Point { x = 1 }
    theirs.registerClass(Point)
    expect(thereAndBack([new Point(), new Date(0)])).toStrictEqual([{ x: 1 }, new Date(0)])
  })

  it('gives back whatever plain data it is given', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => {
      // What JSON itself gives back is the measure; the generator makes -0.
      expect(thereAndBack(value)).toStrictEqual(value)
    }), { numRuns: 300 })
  })

  it('gives back every value exactly, or refuses it', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      withSparseArray: true,
      withBoxedValues: true,
      maxDepth: 4,
    })
    fc.assert(fc.property(anything, (value) => {
      const read = unlessRefused(() => thereAndBack(value))
      expect(read).toStrictEqual(read === refusal ? refusal : value)
    }), { numRuns: 1500 })
  })

  it('says the same of a value as the survey does', () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true })
    fc.assert(fc.property(anything, (value) => {
      const form = unlessRefused(() => survey(value).form)
      expect(unlessRefused(() => (defaultCodec.encode(value)[0] === 1 ? 'rich' : 'json'))).toBe(form)
    }), { numRuns: 500 })
  })
})

describe('a codec of the user', () => {
  const codec: Codec = { id: 16, encode: () => Buffer.alloc(0), decode: () => 1 }

  it('is used as it is', () => {
    expect(resolveCodec(codec)).toBe(codec)
    expect(resolveCodec({ ...codec, id: 255 }).id).toBe(255)
  })

  it.each([0, 1, 15, 256, 16.5, NaN, '16', undefined])('cannot have the id %s', (id) => {
    expect(() => resolveCodec({ ...codec, id: id as number })).toThrow(InvalidOptionError)
  })

  it.each([null, 5, 'json', {}, { id: 16, encode: codec.encode }, { id: 16, decode: codec.decode }])('cannot be %s', (option) => {
    expect(() => resolveCodec(option as Codec)).toThrow(InvalidOptionError)
  })
})
