import { createCipheriv, createDecipheriv, createHash, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { types } from 'node:util'
import { InvalidOptionError } from '../errors/index.js'

/** A key of 32 random bytes: as they are, or as a string in hex (64 digits) or base64 (44 characters, also the URL-safe kind). */
export type EncryptionKey = Uint8Array | string

/**
 * Values are encrypted before they leave the process. With several keys the first encrypts and each of them decrypts: to change keys,
 * put the new one first and drop the old one once its entries have expired.
 */
export type EncryptionOption = EncryptionKey | { readonly keys: readonly EncryptionKey[] }

/**
 * A resolved `encryption` option: AES-256-GCM (NIST SP 800-38D). The keys are in a closure, where neither inspection nor JSON sees them.
 * Nonces are random, which for one key is safe for about four thousand million entries.
 */
export interface Encryption {
  /** Bytes by which a sealed payload is longer. */
  readonly overhead: number
  /** Encrypts and authenticates `plain`, and authenticates `context` along with it. */
  seal(plain: Uint8Array, context: Uint8Array): Buffer
  /** The plain bytes; `undefined` if they were sealed with another key or context, or were changed. */
  open(sealed: Uint8Array, context: Uint8Array): Buffer | undefined
}

const cipherName = 'aes-256-gcm'
const keyBytes = 32
const keyIdBytes = 8
const nonceBytes = 12
const tagBytes = 16
const overhead = keyIdBytes + nonceBytes + tagBytes
const hexKey = /^[0-9a-f]{64}$/i
const base64Key = /^[0-9a-z+/_-]{43}=?$/i

interface NamedKey {
  readonly id: Buffer
  readonly secret: KeyObject
}

/**
 * `drawNonce` is for tests, which need the same bytes every time.
 *
 * @throws InvalidOptionError for anything an EncryptionOption cannot be; the message never holds a key.
 */
export function resolveEncryption(
  option: EncryptionOption | undefined,
  drawNonce: () => Uint8Array = () => randomBytes(nonceBytes),
): Encryption | undefined {
  if (option === undefined) return undefined
  const keys = listKeys(option).map(nameKey)
  const [first] = keys
  if (first === undefined) throw new InvalidOptionError('The option encryption.keys must hold at least one key.')
  return {
    overhead,
    seal: (plain, context) => seal(first, drawNonce(), plain, context),
    open: (sealed, context) => open(keys, sealed, context),
  }
}

function seal(key: NamedKey, nonce: Uint8Array, plain: Uint8Array, context: Uint8Array): Buffer {
  const cipher = createCipheriv(cipherName, key.secret, nonce, { authTagLength: tagBytes })
  cipher.setAAD(context)
  const body = cipher.update(plain)
  cipher.final()
  return Buffer.concat([key.id, nonce, cipher.getAuthTag(), body])
}

function open(keys: readonly NamedKey[], sealed: Uint8Array, context: Uint8Array): Buffer | undefined {
  if (sealed.byteLength < overhead) return undefined
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const key = keys.find(({ id }) => id.equals(bytes.subarray(0, keyIdBytes)))
  if (key === undefined) return undefined
  const nonce = bytes.subarray(keyIdBytes, keyIdBytes + nonceBytes)
  const decipher = createDecipheriv(cipherName, key.secret, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(bytes.subarray(keyIdBytes + nonceBytes, overhead))
  decipher.setAAD(context)
  const plain = decipher.update(bytes.subarray(overhead))
  try {
    decipher.final()
  } catch {
    return undefined
  }
  return plain
}

function listKeys(option: EncryptionOption): readonly EncryptionKey[] {
  if (typeof option === 'string' || ArrayBuffer.isView(option)) return [option]
  if (typeof option !== 'object' || option === null || !Array.isArray(option.keys) || Object.keys(option).length !== 1) {
    throw new InvalidOptionError('The option encryption must be a key or { keys: [key, ...] }.')
  }
  return option.keys
}

function nameKey(key: EncryptionKey): NamedKey {
  const bytes = readKey(key)
  if (bytes?.length !== keyBytes) {
    throw new InvalidOptionError('An encryption key must be 32 bytes: a Buffer or Uint8Array, or a string in hex or base64.')
  }
  // The leading bytes of a hash say which key it was without saying anything about a random key.
  return { id: createHash('sha256').update(bytes).digest().subarray(0, keyIdBytes), secret: createSecretKey(bytes) }
}

function readKey(key: unknown): Buffer | undefined {
  if (types.isUint8Array(key)) return Buffer.from(key)
  if (typeof key !== 'string') return undefined
  if (hexKey.test(key)) return Buffer.from(key, 'hex')
  return base64Key.test(key) ? Buffer.from(key, 'base64') : undefined
}
