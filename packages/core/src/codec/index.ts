export { createDefaultCodec, defaultCodec, resolveCodec, type Codec } from './codec.js'
export { resolveCompression, type Compression, type CompressionAlgorithm, type CompressionOption } from './compression.js'
export { resolveEncryption, type Encryption, type EncryptionKey, type EncryptionOption } from './encryption.js'
export {
  decodeEntry,
  encodeEntry,
  resolveEntryFormat,
  type DecodedEntry,
  type EntryFields,
  type EntryFormat,
  type EntryFormatOptions,
} from './entry.js'
export { hasTagBytes, readHeader, tagBytesOf, tagsOf, type CorruptEntry, type CorruptReason, type EntryHeader } from './entry-header.js'
export { softExpiryBytes, softExpiryOffset } from './entry-layout.js'
export { defaultLimits, survey, type Survey, type ValueForm } from './survey.js'
export type { ValueLimits } from './careful-walk.js'
