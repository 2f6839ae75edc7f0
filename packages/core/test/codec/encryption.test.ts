import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { resolveEncryption, type Encryption, type EncryptionOption } from '../../src/codec/index.js'
import { InvalidOptionError } from '../../src/errors/index.js'

const key = Buffer.from(Array.from({ length: 32 }, (_, i) => i * 7))
const other = Buffer.alloc(32, 9)
const plain = Buffer.from('the plain text')
const context = Buffer.from('context')

function encryption(option: EncryptionOption): Encryption {
  const resolved = resolveEncryption(option)
  if (resolved === undefined) throw new Error('no encryption')
  return resolved
}

describe('encryption', () => {
  it.each([
    ['a Buffer', key],
    ['a Uint8Array', new Uint8Array(key)],
    ['hex', key.toString('hex')],
    ['hex in capitals', key.toString('hex').toUpperCase()],
    ['base64', key.toString('base64')],
    ['URL-safe base64', key.toString('base64url')],
    ['a list', { keys: [key] }],
  ])('takes a key as %s, and they are the same key', (_, option) => {
    const sealed = encryption(option).seal(plain, context)
    expect(sealed.length).toBe(plain.length + encryption(option).overhead)
    expect(encryption(key).open(sealed, context)).toEqual(plain)
  })

  it('hides the plain text', () => {
    expect(encryption(key).seal(plain, context).includes(plain)).toBe(false)
  })

  it('never draws the same nonce twice', () => {
    const sealed = Array.from({ length: 100 }, () => encryption(key).seal(plain, context).toString('hex'))
    expect(new Set(sealed).size).toBe(100)
  })

  it('reads with every key of the list and writes with the first', () => {
    const old = encryption(other).seal(plain, context)
    const rotated = encryption({ keys: [key, other] })
    expect(rotated.open(old, context)).toEqual(plain)
    expect(encryption(key).open(rotated.seal(plain, context), context)).toEqual(plain)
    expect(encryption(key).open(old, context)).toBeUndefined()
  })

  it('opens nothing that was changed in any bit, cut, or sealed in another context', () => {
    const box = encryption(key)
    const sealed = box.seal(plain, context)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(box.open(changed, context)).toBeUndefined()
    }
    for (let length = 0; length < sealed.length; length++) expect(box.open(sealed.subarray(0, length), context)).toBeUndefined()
    expect(box.open(sealed, Buffer.from('contexu'))).toBeUndefined()
  })

  it('keeps working when the key it was given is wiped', () => {
    const given = Buffer.from(key)
    const box = encryption(given)
    given.fill(0)
    expect(encryption(key).open(box.seal(plain, context), context)).toEqual(plain)
  })

  it('shows no key when it is inspected', () => {
    const shown = inspect(encryption({ keys: [key, other] }), { depth: null, showHidden: true }) + JSON.stringify(encryption(key))
    for (const form of ['hex', 'base64', 'latin1'] as const) expect(shown).not.toContain(key.toString(form))
    expect(shown).not.toContain('00 07 0e')
  })

  it.each([
    ['short', key.subarray(1)],
    ['a password', 'correct horse battery staple....'],
    ['hex that is short', key.toString('hex').slice(2)],
    ['no key', { keys: [] }],
    ['nothing', null],
    ['a number', 5],
    ['a list by itself', [key]],
    ['unknown options', { keys: [key], algorithm: 'des' }],
    ['a bad second key', { keys: [key, 'hunter2'] }],
  ])('refuses what is %s without repeating it', (_, option) => {
    const resolve = (): unknown => resolveEncryption(option as EncryptionOption)
    expect(resolve).toThrow(InvalidOptionError)
    expect(resolve).not.toThrow(/horse|hunter2/)
    expect(resolve).not.toThrow(key.toString('hex').slice(2))
  })
})
