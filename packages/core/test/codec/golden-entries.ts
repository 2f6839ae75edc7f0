import { readdirSync, readFileSync } from 'node:fs'
import { resolveEntryFormat, type EntryFields, type EntryFormat } from '../../src/codec/index.js'
import { entryVersion } from '../../src/codec/entry-layout.js'
import { resolveEncryption } from '../../src/codec/encryption.js'

/** Entries as the current version of the layout wrote them. The files never change: a layout that cannot read them is another version. */
export interface GoldenEntry {
  readonly file: string
  readonly fields: EntryFields
  readonly format: EntryFormat
  /** False where the bytes are also zlib's, which may compress better one day. Those must be read, not written alike. */
  readonly reproducible: boolean
}

const plain = resolveEntryFormat()
const base = { key: 'user:42', softExpiresAt: 1_700_000_000_000, expiresAt: 1_700_000_300_000, ttl: 300_000 }
const tags = new Map([['users', '5f0c3b1a9e7d2846'], ['tiercel', '00ff00ff00ff00ff'], ['räume/東京', 'new<old']])
const nonce = Buffer.from('000102030405060708090a0b', 'hex')
const encrypted: EntryFormat = { ...plain, encryption: resolveEncryption(Buffer.alloc(32, 0x42), () => nonce) }
const rich = { at: new Date(0), ids: new Set([1n]), none: undefined, bytes: Buffer.from('bytes') }
const long = { text: 'the same again and again, '.repeat(100) }

export const goldenEntries: readonly GoldenEntry[] = [
  { file: 'plain.bin', fields: { ...base, value: { id: 42, name: 'Ada' }, tags }, format: plain, reproducible: true },
  { file: 'etag.bin', fields: { ...base, value: 'Zürich', etag: 'W/"ä1"', tags }, format: plain, reproducible: true },
  { file: 'null.bin', fields: { ...base, value: null, tags: new Map() }, format: plain, reproducible: true },
  { file: 'rich.bin', fields: { ...base, value: rich, tags }, format: plain, reproducible: true },
  { file: 'bytes.bin', fields: { ...base, value: Buffer.from([0, 1, 127, 128, 255]), tags }, format: plain, reproducible: true },
  { file: 'expired.bin', fields: { ...base, value: [1], softExpiresAt: 0, tags }, format: plain, reproducible: true },
  {
    file: 'lone-surrogates.bin',
    fields: { ...base, key: '\ud800', value: 1, tags: new Map([['\udfff', 't']]) },
    format: plain,
    reproducible: true,
  },
  { file: 'encrypted.bin', fields: { ...base, value: { secret: 'x' }, etag: 'e', tags }, format: encrypted, reproducible: true },
  { file: 'gzip.bin', fields: { ...base, value: long, tags }, format: resolveEntryFormat({ compression: true }), reproducible: false },
  {
    file: 'brotli-encrypted.bin',
    fields: { ...base, value: long, tags },
    format: { ...encrypted, compression: { minBytes: 1024, algorithm: 'brotli' } },
    reproducible: false,
  },
]

const golden = new URL('golden/', import.meta.url)

export function goldenBytes(file: string, version = entryVersion): Buffer {
  return readFileSync(new URL(`version-${version}/${file}`, golden))
}

export interface GoldenFile {
  readonly version: number
  readonly file: string
}

/** All files there are, of all versions. */
export const goldenFiles: readonly GoldenFile[] = readdirSync(golden, { withFileTypes: true })
  .filter((folder) => folder.isDirectory())
  .flatMap(({ name }) => readdirSync(new URL(name, golden)).map((file) => ({ version: Number(/^version-(\d+)$/.exec(name)?.[1]), file })))
