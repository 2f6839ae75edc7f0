import { parse as superjsonParse, stringify as superjsonStringify } from 'superjson'
import { decodeEntry, defaultCodec, encodeEntry, readHeader, resolveEntryFormat, type DecodedEntry } from '../../../core/dist/esm/codec/index.js'
import { compare, type Comparison } from '../comparison.js'
import type { Effort } from '../effort.js'
import { measure, type Series, type Subject } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { large, small, type Sample, type Shape } from '../values.js'
import type { Benchmark } from './benchmark.js'

/** Plain JSON to bytes and back: the codec alone, and the whole entry that is stored in Redis. */
export const codec: Benchmark = async (effort) => ({
  name: 'codec',
  title: 'Plain JSON to bytes and back',
  comparisons: [
    ...(await codecOf(small, 200, { encode: 2.5, decode: 1.8 }, effort)),
    ...(await codecOf(large, 50, { encode: 1.6, decode: 1.3 }, effort)),
  ],
  notes: [
    'JSON.stringify and JSON.parse deal in strings, ours in bytes; the lines "with bytes" give them the conversion that Redis asks for too.',
    'An entry has two tokens, expiry, a hash of the key and a checksum besides the value.',
  ],
})

async function codecOf(shape: Shape, count: number, targets: { readonly encode: number; readonly decode: number }, { plan }: Effort): Promise<Comparison[]> {
  const samples = Array.from({ length: count }, (_, id) => shape.make(id))
  const expectedIds = samples.reduce((sum, { id }) => sum + id, 0)
  const texts = samples.map((value) => JSON.stringify(value))
  const asBytes = texts.map((text) => Buffer.from(text))
  const rich = samples.map((value) => superjsonStringify(value))
  const format = resolveEntryFormat()
  const tags = new Map([['tiercel\0g', 'f3a91c0b7d5e2846'], ['tiercel\0tusers', '9b20d47ae1c8f356']])
  const fieldsOf = (value: unknown, key: string) => ({ key, value, softExpiresAt: 1_900_000_000_000, expiresAt: 1_900_000_300_000, ttl: 300_000, tags })
  const keys = samples.map(({ id }) => `user:${id}`)
  const entries = samples.map((value, i) => encodeEntry(fieldsOf(value, keys[i] as string), format) as Buffer)
  const entryBytes = entries.reduce((sum, { length }) => sum + length, 0)
  const textLength = texts.reduce((sum, { length }) => sum + length, 0)
  const richLength = rich.reduce((sum, { length }) => sum + length, 0)

  const encoding = (name: string, length: number, encodeAll: () => number): Subject => ({
    name,
    operations: count,
    pass: encodeAll,
    check: (sum) => expect(sum === length, `${name} gave ${String(sum)} bytes or characters in place of ${length}`),
  })
  const decoding = (name: string, decodeAll: () => number): Subject => ({
    name,
    operations: count,
    pass: decodeAll,
    check: (sum) => expect(sum === expectedIds, `${name} gave other values than were encoded`),
  })

  // A loop each, for the reason given at `Reader.readEach`.
  const series = await measure(
    [
      encoding('JSON.stringify', textLength, () => {
        let sum = 0
        for (const value of samples) sum += JSON.stringify(value).length
        return sum
      }),
      encoding('JSON.stringify with bytes', textLength, () => {
        let sum = 0
        for (const value of samples) sum += Buffer.from(JSON.stringify(value)).length
        return sum
      }),
      encoding('superjson.stringify', richLength, () => {
        let sum = 0
        for (const value of samples) sum += superjsonStringify(value).length
        return sum
      }),
      encoding('encode', textLength, () => {
        let sum = 0
        for (const value of samples) sum += defaultCodec.encode(value).length
        return sum
      }),
      encoding('encode an entry', entryBytes, () => {
        let sum = 0
        for (let i = 0; i < samples.length; i++) sum += (encodeEntry(fieldsOf(samples[i], keys[i] as string), format) as Buffer).length
        return sum
      }),
      decoding('JSON.parse', () => {
        let sum = 0
        for (const text of texts) sum += (JSON.parse(text) as Sample).id
        return sum
      }),
      decoding('JSON.parse with bytes', () => {
        let sum = 0
        for (const bytes of asBytes) sum += (JSON.parse(bytes.toString()) as Sample).id
        return sum
      }),
      decoding('superjson.parse', () => {
        let sum = 0
        for (const text of rich) sum += superjsonParse<Sample>(text).id
        return sum
      }),
      decoding('decode', () => {
        let sum = 0
        for (const bytes of asBytes) sum += (defaultCodec.decode(bytes) as Sample).id
        return sum
      }),
      decoding('decode an entry', () => {
        let sum = 0
        for (let i = 0; i < entries.length; i++) {
          const header = readHeader(entries[i] as Buffer, keys[i] as string)
          expect(header.corrupt === undefined, 'an entry just encoded was taken for corrupt')
          sum += ((decodeEntry(header, format) as DecodedEntry).value as Sample).id
        }
        return sum
      }),
    ],
    plan,
  )
  const named = (name: string): Series => {
    const found = series.find((each) => each.name === name)
    expect(found !== undefined, `nothing was measured of ${name}`)
    return found
  }
  const line = (us: string, peer: string, target?: number) => compare(shape.name, named(us), named(peer), target)
  return [
    line('encode', 'JSON.stringify', targets.encode),
    line('encode an entry', 'JSON.stringify'),
    line('encode an entry', 'JSON.stringify with bytes'),
    line('encode an entry', 'superjson.stringify'),
    line('decode', 'JSON.parse', targets.decode),
    line('decode an entry', 'JSON.parse'),
    line('decode an entry', 'JSON.parse with bytes'),
    line('decode an entry', 'superjson.parse'),
  ]
}
