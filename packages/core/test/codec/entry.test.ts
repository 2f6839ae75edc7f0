import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeEntry,
  encodeEntry,
  readHeader,
  tagsOf,
  resolveEntryFormat,
  softExpiryBytes,
  softExpiryOffset,
  type Codec,
  type EntryFields,
  type EntryFormat,
  type EntryHeader,
} from '../../src/codec/index.js'
import { checksum } from '../../src/codec/entry-checksum.js'
import { at, entryVersion, flag } from '../../src/codec/entry-layout.js'
import { UncacheableValueError } from '../../src/errors/index.js'
import { goldenBytes, goldenEntries, goldenFiles } from './golden-entries.js'
import { exact } from './values.js'

const plain = resolveEntryFormat()
const secret = resolveEntryFormat({ encryption: Buffer.alloc(32, 1) })
const fields: EntryFields = {
  key: 'user:42',
  value: { name: 'Ada', text: 'x'.repeat(50) },
  softExpiresAt: 1_700_000_000_000,
  expiresAt: 1_700_000_060_000,
  ttl: 60_000,
  etag: '"v1"',
  tags: new Map([['users', 'token-b'], ['tiercel', 'token-a']]),
}
const formats: ReadonlyArray<[string, EntryFormat]> = [
  ['plain', plain],
  ['encrypted', secret],
  ['compressed', resolveEntryFormat({ compression: { minBytes: 10 } })],
  [
    'compressed with brotli and encrypted',
    resolveEntryFormat({ compression: { minBytes: 10, algorithm: 'brotli' }, encryption: Buffer.alloc(32, 1) }),
  ],
]

function headerOf(bytes: Uint8Array, key = fields.key): EntryHeader {
  const header = readHeader(bytes, key)
  if (header.corrupt !== undefined) throw new Error(header.corrupt)
  return header
}

async function valueOf(bytes: Uint8Array, format: EntryFormat, key = fields.key): Promise<unknown> {
  const header = readHeader(bytes, key)
  const result = header.corrupt === undefined ? await decodeEntry(header, format) : header
  return result.corrupt === undefined ? result.value : result
}

/** An entry somebody forged: changed, and its checksum made good again. */
function forged(bytes: Buffer, change: (entry: Buffer) => void): Buffer {
  const entry = Buffer.from(bytes)
  change(entry)
  entry.writeUInt32LE(checksum(entry), at.checksum)
  return entry
}

describe('an entry', () => {
  it.each(formats)('gives back all that went into it when it is %s', async (_, format) => {
    const bytes = await encodeEntry(fields, format)
    const header = headerOf(bytes)
    const { key, softExpiresAt, expiresAt, ttl, etag } = fields
    expect(header).toMatchObject({ key, softExpiresAt, expiresAt, ttl, etag, isNull: false })
    expect(tagsOf(header)).toEqual([['tiercel', 'token-a'], ['users', 'token-b']])
    expect(await valueOf(bytes, format)).toEqual(fields.value)
  })

  it.each(exact)('carries %s', async (_, value) => {
    for (const [, format] of formats) {
      expect(await valueOf(await encodeEntry({ ...fields, value }, format), format)).toStrictEqual(value)
    }
  })

  it('is made and read at once unless it is compressed', async () => {
    expect(encodeEntry(fields, secret)).toBeInstanceOf(Buffer)
    expect(decodeEntry(headerOf(encodeEntry(fields, secret) as Buffer), secret)).toEqual({ value: fields.value })
    const compressing = resolveEntryFormat({ compression: { minBytes: 10 } })
    expect(encodeEntry(fields, compressing)).toBeInstanceOf(Promise)
    expect(encodeEntry({ ...fields, value: 'short' }, compressing)).toBeInstanceOf(Buffer)
  })

  it('is compressed only when that makes it smaller', async () => {
    const compressing = resolveEntryFormat({ compression: { minBytes: 0 } })
    const short = await encodeEntry({ ...fields, value: 'ab' }, compressing)
    expect(short).toEqual(encodeEntry({ ...fields, value: 'ab' }, plain))
    const long = await encodeEntry({ ...fields, value: 'ab'.repeat(500) }, compressing)
    expect(long.length).toBeLessThan(300)
    expect(headerOf(long).flags & flag.compressed).toBeTruthy()
  })

  it('is read whatever the compression option says', async () => {
    for (const [, from] of formats) {
      for (const [, to] of formats) {
        if ((from.encryption === undefined) !== (to.encryption === undefined)) continue
        expect(await valueOf(await encodeEntry(fields, from), to)).toEqual(fields.value)
      }
    }
  })

  it('does not change with what is changed after the call', async () => {
    const value = { list: ['x'.repeat(2000)] }
    const tags = new Map([['a', '1']])
    const pending = encodeEntry({ ...fields, value, tags }, resolveEntryFormat({ compression: true }))
    value.list.push('later')
    tags.set('b', '2')
    const bytes = await pending
    expect(tagsOf(headerOf(bytes))).toEqual([['a', '1']])
    expect(await valueOf(bytes, plain)).toEqual({ list: ['x'.repeat(2000)] })
  })

  it('is the same whatever the order of its tags', () => {
    const names = ['b', 'a', '', 'ä', '\ud800', 'a=b', '10', '9']
    const inOrder = new Map(names.map((name) => [name, `t${name}`]))
    const reversed = new Map([...inOrder].reverse())
    expect(encodeEntry({ ...fields, tags: inOrder }, plain)).toEqual(encodeEntry({ ...fields, tags: reversed }, plain))
  })

  it('keeps any tags, tokens, keys and etags apart', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 })
    const lonely = fc.array(fc.constantFrom('\ud800', '\udc00', 'a', '=', '\0', '東'), { maxLength: 100 }).map((parts) => parts.join(''))
    const any = fc.oneof(text, lonely)
    const optional = fc.option(any, { nil: undefined })
    fc.assert(fc.property(any, fc.dictionary(any, any), optional, fc.constantFrom(plain, secret), (key, tagged, etag, format) => {
      const tags = new Map(Object.entries(tagged))
      const bytes = encodeEntry({ ...fields, key, tags, etag }, format) as Buffer
      const header = headerOf(bytes, key)
      expect(header.etag).toBe(etag)
      expect(new Map(tagsOf(header))).toEqual(tags)
      expect(decodeEntry(header, format)).toEqual({ value: fields.value })
    }), { numRuns: 300 })
  })

  it('says that its value is null before decoding', () => {
    for (const format of [plain, secret]) {
      const header = headerOf(encodeEntry({ ...fields, value: null }, format) as Buffer)
      expect(header.isNull).toBe(true)
      expect(decodeEntry(header, format)).toEqual({ value: null })
    }
  })

  it('can have its soft expiry zeroed in place', () => {
    for (const format of [plain, secret]) {
      const bytes = encodeEntry(fields, format) as Buffer
      bytes.fill(0, softExpiryOffset, softExpiryOffset + softExpiryBytes)
      const header = headerOf(bytes)
      expect(header.softExpiresAt).toBe(0)
      expect(header.expiresAt).toBe(fields.expiresAt)
      expect(decodeEntry(header, format)).toEqual({ value: fields.value })
    }
  })

  it('takes times that are fractions, negative, endless or no numbers', () => {
    const header = headerOf(encodeEntry({ ...fields, softExpiresAt: 12.9, expiresAt: Infinity, ttl: NaN }, plain) as Buffer)
    expect(header).toMatchObject({ softExpiresAt: 12, expiresAt: 2 ** 48 - 1, ttl: 0 })
    expect(headerOf(encodeEntry({ ...fields, expiresAt: -5 }, plain) as Buffer).expiresAt).toBe(0)
  })

  it('can be read from a Uint8Array that is part of a larger one', async () => {
    const bytes = encodeEntry(fields, plain) as Buffer
    const around = new Uint8Array(bytes.length + 20)
    around.set(bytes, 7)
    expect(await valueOf(around.subarray(7, 7 + bytes.length), plain)).toEqual(fields.value)
  })

  it('takes the form of a value from a survey that was made', () => {
    let reads = 0
    const value = { get a() { return ++reads } }
    encodeEntry({ ...fields, value, form: 'json' }, plain)
    expect(reads).toBe(1)
  })

  it('holds a Buffer as it is', async () => {
    const value = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7) % 256))
    for (const [, format] of formats) {
      const bytes = await encodeEntry({ ...fields, value }, format)
      expect(await valueOf(bytes, format)).toEqual(value)
      expect(Buffer.isBuffer(await valueOf(bytes, format))).toBe(true)
    }
    const bytes = encodeEntry({ ...fields, value }, plain) as Buffer
    expect(bytes.includes(value)).toBe(true)
    const read = (await valueOf(bytes, plain)) as Buffer
    expect(read.buffer.byteLength).toBe(read.length)
    expect(await valueOf(encodeEntry({ ...fields, value: Buffer.alloc(0) }, plain) as Buffer, plain)).toEqual(Buffer.alloc(0))
  })

  it('is not made of values that cannot be kept', () => {
    for (const format of [plain, resolveEntryFormat({ compression: true })]) {
      expect(() => encodeEntry({ ...fields, value: { a: () => 1 } }, format)).toThrow(UncacheableValueError)
    }
    const tags = new Map(Array.from({ length: 65_536 }, (_, i) => [`${i}`, 't']))
    expect(() => encodeEntry({ ...fields, tags }, plain)).toThrow(expect.objectContaining({ reason: 'too-large' }) as Error)
    const small = resolveEntryFormat({ limits: { maxDepth: 10, maxBytes: 100 } })
    const large = { ...fields, value: 'x'.repeat(100) }
    expect(() => encodeEntry(large, small)).toThrow(expect.objectContaining({ reason: 'too-large' }) as Error)
  })
})

describe('a damaged entry', () => {
  it.each(formats)('is noticed when it is cut anywhere: %s', async (_, format) => {
    const bytes = await encodeEntry(fields, format)
    for (let length = 0; length < bytes.length; length++) {
      expect(readHeader(bytes.subarray(0, length), fields.key)).toEqual({ corrupt: 'truncated' })
    }
  })

  it.each(formats)('is noticed when any bit but the soft expiry\'s is flipped: %s', async (_, format) => {
    const bytes = await encodeEntry(fields, format)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const inSoftExpiry = bit >= softExpiryOffset * 8 && bit < (softExpiryOffset + softExpiryBytes) * 8
      expect(readHeader(changed, fields.key).corrupt !== undefined).toBe(!inSoftExpiry)
    }
  })

  it('is noticed when something follows it', () => {
    const bytes = encodeEntry(fields, plain) as Buffer
    const longer = Buffer.concat([bytes, Buffer.from(' ')])
    expect(readHeader(longer, fields.key)).toEqual({ corrupt: 'checksum' })
    expect(readHeader(forged(longer, () => {}), fields.key)).toEqual({ corrupt: 'checksum' })
  })

  it('is told from what is no entry, and from one of another version', () => {
    const bytes = encodeEntry(fields, plain) as Buffer
    expect(readHeader(Buffer.from('{"a":1}'), fields.key)).toEqual({ corrupt: 'magic' })
    expect(readHeader(Buffer.from('{'), fields.key)).toEqual({ corrupt: 'magic' })
    expect(readHeader(Buffer.alloc(200), fields.key)).toEqual({ corrupt: 'magic' })
    expect(readHeader(forged(bytes, (entry) => entry.writeUInt8(2, at.version)), fields.key)).toEqual({ corrupt: 'version' })
    const unknownFlag = forged(bytes, (entry) => entry.writeUInt8(entry.readUInt8(at.flags) | 128, at.flags))
    expect(readHeader(unknownFlag, fields.key)).toEqual({ corrupt: 'version' })
  })

  it('never throws, whatever the bytes are', async () => {
    const bytes = encodeEntry(fields, plain) as Buffer
    const offset = fc.integer({ min: at.flags, max: bytes.length - 1 })
    const any = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      // Good checksums, so that what comes behind them is reached.
      fc.array(fc.tuple(offset, fc.integer({ min: 0, max: 255 })), { maxLength: 12 }).map((changes) =>
        forged(bytes, (entry) => {
          for (const [position, byte] of changes) entry.writeUInt8(byte, position)
          entry.writeUInt32LE(entry.length, at.length)
          bytes.copy(entry, at.keyHash, at.keyHash, at.hardExpiry)
        }),
      ),
    )
    await fc.assert(fc.asyncProperty(any, async (found) => {
      for (const [, format] of formats) await expect(valueOf(found, format)).resolves.not.toThrow()
    }), { numRuns: 500 })
  })

  it('is not decoded when what it expands to is a bomb', async () => {
    const bomb = gzipSync(Buffer.alloc(129 << 20, 0x20), { level: 9 })
    const bombs: Codec = { id: 77, encode: () => bomb, decode: (found) => found.length }
    const format = resolveEntryFormat({ codec: bombs })
    const bytes = forged(encodeEntry(fields, format) as Buffer, (entry) => {
      entry.writeUInt8(entry.readUInt8(at.flags) | flag.compressed, at.flags)
    })
    expect(await valueOf(bytes, format)).toEqual({ corrupt: 'payload' })
  })

  it('is not decoded when its payload is not what its header says', async () => {
    const bytes = encodeEntry({ ...fields, value: 'abc' }, plain) as Buffer
    const flagged = (bits: number): Buffer => forged(bytes, (entry) => entry.writeUInt8(entry.readUInt8(at.flags) | bits, at.flags))
    expect(await valueOf(flagged(flag.compressed), plain)).toEqual({ corrupt: 'payload' })
    expect(await valueOf(flagged(flag.isNull), plain)).toEqual({ corrupt: 'payload' })
    expect(await valueOf(flagged(flag.encrypted), plain)).toEqual({ corrupt: 'decrypt' })
    expect(await valueOf(forged(bytes, (entry) => entry.write('}', entry.length - 1)), plain)).toEqual({ corrupt: 'payload' })
  })
})

describe('an entry in the wrong place', () => {
  it('is noticed under another key', () => {
    const bytes = encodeEntry(fields, plain) as Buffer
    for (const key of ['user:43', 'user:4', 'user:422', '', 'User:42', '24:resu']) {
      expect(readHeader(bytes, key)).toEqual({ corrupt: 'key' })
    }
  })

  it('is noticed under every one of many similar keys', () => {
    const hashes = new Set<string>()
    for (let i = 0; i < 20_000; i++) {
      const bytes = encodeEntry({ ...fields, key: `user:${i}`, value: null, tags: new Map() }, plain) as Buffer
      hashes.add(bytes.toString('hex', at.keyHash, at.hardExpiry))
    }
    expect(hashes.size).toBe(20_000)
  })

  it('cannot be moved to another key by who cannot encrypt', async () => {
    const bytes = encodeEntry(fields, secret) as Buffer
    const target = encodeEntry({ ...fields, key: 'admin:1' }, secret) as Buffer
    const moved = forged(bytes, (entry) => target.copy(entry, at.keyHash, at.keyHash, at.hardExpiry))
    expect(readHeader(moved, 'admin:1').corrupt).toBeUndefined()
    expect(await valueOf(moved, secret, 'admin:1')).toEqual({ corrupt: 'decrypt' })
  })

  it('cannot be given other tags, tokens, an etag, flags or a longer life by who cannot encrypt', async () => {
    const bytes = encodeEntry(fields, secret) as Buffer
    const changes: ReadonlyArray<(entry: Buffer) => void> = [
      (entry) => entry.write('token-c', entry.indexOf('token-b')),
      (entry) => entry.write('boxes', entry.indexOf('users')),
      (entry) => entry.write('"v2"', entry.indexOf('"v1"')),
      (entry) => entry.writeUIntLE(2 ** 47, at.hardExpiry, 6),
      (entry) => entry.writeUIntLE(2 ** 40, at.ttl, 6),
      (entry) => entry.writeUInt8(entry.readUInt8(at.flags) ^ flag.ascii, at.flags),
    ]
    for (const change of changes) {
      const entry = forged(bytes, change)
      expect(readHeader(entry, fields.key).corrupt).toBeUndefined()
      expect(await valueOf(entry, secret)).toEqual({ corrupt: 'decrypt' })
    }
    expect(await valueOf(forged(bytes, () => {}), secret)).toEqual(fields.value)
  })

  it('is refused when it is not encrypted and should be, or is and nobody has the key', async () => {
    const other = resolveEntryFormat({ encryption: Buffer.alloc(32, 2) })
    expect(await valueOf(encodeEntry(fields, plain) as Buffer, secret)).toEqual({ corrupt: 'decrypt' })
    expect(await valueOf(encodeEntry({ ...fields, value: null }, plain) as Buffer, secret)).toEqual({ corrupt: 'decrypt' })
    expect(await valueOf(encodeEntry(fields, secret) as Buffer, plain)).toEqual({ corrupt: 'decrypt' })
    expect(await valueOf(encodeEntry(fields, secret) as Buffer, other)).toEqual({ corrupt: 'decrypt' })
    const rotated = resolveEntryFormat({ encryption: { keys: [Buffer.alloc(32, 2), Buffer.alloc(32, 1)] } })
    expect(await valueOf(encodeEntry(fields, secret) as Buffer, rotated)).toEqual(fields.value)
  })

  it('shows nothing of an encrypted value', () => {
    const bytes = encodeEntry({ ...fields, value: { password: 'hunter2' } }, secret) as Buffer
    expect(bytes.includes('hunter2')).toBe(false)
    expect(bytes.includes('password')).toBe(false)
  })
})

describe('an entry of a codec of the user', () => {
  const reversing: Codec = {
    id: 40,
    encode: (value) => Buffer.from(JSON.stringify(value)).reverse(),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).reverse().toString()) as unknown,
  }
  const format = resolveEntryFormat({ codec: reversing })

  it('is written and read by it, compressed and encrypted or not', async () => {
    const all = resolveEntryFormat({ codec: reversing, compression: { minBytes: 0 }, encryption: Buffer.alloc(32, 3) })
    for (const each of [format, all]) {
      const bytes = await encodeEntry(fields, each)
      expect(headerOf(bytes).codecId).toBe(40)
      expect(await valueOf(bytes, each)).toEqual(fields.value)
    }
  })

  it('is of no use to who has another codec', async () => {
    const bytes = encodeEntry(fields, format) as Buffer
    expect(await valueOf(bytes, plain)).toEqual({ corrupt: 'codec' })
    expect(await valueOf(bytes, resolveEntryFormat({ codec: { ...reversing, id: 41 } }))).toEqual({ corrupt: 'codec' })
  })

  it('does not keep those of the default codec from being read', async () => {
    expect(await valueOf(encodeEntry(fields, plain) as Buffer, format)).toEqual(fields.value)
  })

  it('is a miss when decoding throws', async () => {
    const throwing: Codec = { ...reversing, decode: () => { throw new Error('no') } }
    expect(await valueOf(encodeEntry(fields, format) as Buffer, resolveEntryFormat({ codec: throwing }))).toEqual({ corrupt: 'payload' })
  })

  it('is not made when encoding throws or gives no bytes', () => {
    const cannot = expect.objectContaining({ code: 'TIERCEL_UNCACHEABLE', reason: 'codec' }) as Error
    const throwing: Codec = { ...reversing, encode: () => { throw new Error('no') } }
    const text: Codec = { ...reversing, encode: () => 'text' as unknown as Uint8Array }
    expect(() => encodeEntry(fields, resolveEntryFormat({ codec: throwing }))).toThrow(cannot)
    expect(() => encodeEntry(fields, resolveEntryFormat({ codec: text }))).toThrow(cannot)
  })

  it('may be made in an array that the codec uses again', async () => {
    const scratch = Buffer.alloc(1000, 'x')
    const reusing: Codec = { id: 50, encode: () => scratch, decode: (bytes) => Buffer.from(bytes).toString() }
    const compressing = resolveEntryFormat({ codec: reusing, compression: { minBytes: 0 } })
    const pending = encodeEntry(fields, compressing)
    scratch.fill('y')
    expect(await valueOf(await pending, compressing)).toBe('x'.repeat(1000))
  })
})

describe('golden entries', () => {
  it('are there of every version up to the current one, and none lies there unread', () => {
    expect([...new Set(goldenFiles.map(({ version }) => version))].toSorted()).toEqual(Array.from({ length: entryVersion }, (_, i) => i + 1))
    const current = goldenFiles.filter(({ version }) => version === entryVersion).map(({ file }) => file)
    expect(current.toSorted()).toEqual(goldenEntries.map(({ file }) => file).toSorted())
  })

  it.each(goldenFiles)('of version $version are a miss to every other version: $file', ({ version, file }) => {
    const entry = goldenBytes(file, version)
    const key = goldenEntries.find((each) => each.file === file)?.fields.key ?? ''
    expect(readHeader(entry, key).corrupt).toBe(version === entryVersion ? undefined : 'version')
    for (const other of [entryVersion - 1, entryVersion + 1, 255]) {
      expect(readHeader(forged(entry, (bytes) => bytes.writeUInt8(other, at.version)), key).corrupt).toBe('version')
    }
  })

  it.each(goldenEntries)('are read: $file', async ({ file, fields: golden, format }) => {
    const bytes = goldenBytes(file)
    const header = headerOf(bytes, golden.key)
    const { softExpiresAt, expiresAt, ttl, tags, etag } = golden
    expect(header).toMatchObject({ softExpiresAt, expiresAt, ttl })
    expect(new Map(tagsOf(header))).toEqual(tags)
    expect(header.etag).toBe(etag)
    expect(await valueOf(bytes, format, golden.key)).toStrictEqual(golden.value)
  })

  const reproducible = goldenEntries.filter((each) => each.reproducible)
  it.each(reproducible)('are written to the byte: $file', async ({ file, fields: golden, format }) => {
    expect((await encodeEntry(golden, format)).toString('hex')).toBe(goldenBytes(file).toString('hex'))
  })
})
