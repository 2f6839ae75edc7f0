import { randomBytes } from 'node:crypto'
import { defaultCodec } from '@tiercel/core/connection'
import type { Codec } from '@tiercel/core'

/** A value on its way between processes: encoded when it was set, so that what its owner does with it afterwards stays at home. */
export interface Parcel {
  /** Names this value among all that its key ever had. */
  readonly version: string
  /** By the clock of Redis, in ms. */
  readonly expiresAt: number
  readonly value: unknown
}

const PROCESS_BYTES = 6
const COUNT_BYTES = 6
/** Id of the codec, version, end of life, and then the encoded value. */
const at = { codec: 0, version: 1, expiresAt: 1 + PROCESS_BYTES + COUNT_BYTES, payload: 9 + PROCESS_BYTES + COUNT_BYTES } as const

/** Reads and writes parcels with a codec. */
export class Parcels {
  readonly #codec: Codec
  readonly #process = randomBytes(PROCESS_BYTES)
  #count = 0

  constructor(codec: Codec | undefined) {
    this.#codec = codec ?? defaultCodec
  }

  /** Encodes a value; when it ends is said later, by `address`. Throws what the codec throws. */
  pack(value: unknown): Buffer {
    const payload = this.#codec.encode(value)
    const parcel = Buffer.allocUnsafe(at.payload + payload.byteLength)
    parcel[at.codec] = this.#codec.id
    parcel.set(this.#process, at.version)
    parcel.writeUIntBE(++this.#count, at.version + PROCESS_BYTES, COUNT_BYTES)
    parcel.writeDoubleBE(0, at.expiresAt)
    parcel.set(payload, at.payload)
    return parcel
  }

  versionOf(parcel: Buffer): string {
    return parcel.toString('latin1', at.version, at.expiresAt)
  }

  address(parcel: Buffer, expiresAt: number): Buffer {
    parcel.writeDoubleBE(expiresAt, at.expiresAt)
    return parcel
  }

  /** What somebody packed, or `undefined` for what is no parcel of ours. */
  unpack(parcel: unknown): Parcel | undefined {
    if (!(parcel instanceof Uint8Array) || parcel.byteLength < at.payload || parcel[at.codec] !== this.#codec.id) return undefined
    const bytes = Buffer.from(parcel.buffer, parcel.byteOffset, parcel.byteLength)
    try {
      return { version: this.versionOf(bytes), expiresAt: bytes.readDoubleBE(at.expiresAt), value: this.#codec.decode(bytes.subarray(at.payload)) }
    } catch {
      return undefined
    }
  }
}

/** For the cache that carries parcels: they are bytes already. */
export const asItIs: Codec = { id: 128, encode: (parcel) => parcel as Uint8Array, decode: (bytes) => bytes }
