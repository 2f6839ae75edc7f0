import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { ResponseRecord } from './stored-response.js'

// A frame: magic, version, length of the record, length of the body, the record as JSON in UTF-8, the body.
const MAGIC = 0x5254
const VERSION = 1
const RECORD_AT = 11
const LONGEST_RECORD = 256 * 1024

/** The fields of a record in the order in which they are written: their names would be half of it. */
const FIELDS = [
  'key',
  'status',
  'statusMessage',
  'headers',
  'selecting',
  'family',
  'freshMs',
  'initialAgeMs',
  'whileRevalidatingMs',
  'ifErrorMs',
  'storedAt',
  'mayBeStale',
  'forBearers',
  'isPublic',
] as const satisfies readonly (keyof ResponseRecord)[]

/** One run of bytes for a response. `undefined` when its headers are too much to keep. */
export function toFrame(record: ResponseRecord, body: Buffer): Buffer | undefined {
  const text = Buffer.from(JSON.stringify(FIELDS.map((field) => record[field])))
  if (text.length > LONGEST_RECORD) return undefined
  // Not from the pool of small Buffers: it is kept for long, and would keep the rest of the pool with it.
  const frame = Buffer.allocUnsafeSlow(RECORD_AT + text.length + body.length)
  frame.writeUInt16LE(MAGIC, 0)
  frame.writeUInt8(VERSION, 2)
  frame.writeUInt32LE(text.length, 3)
  frame.writeUInt32LE(body.length, 7)
  text.copy(frame, RECORD_AT)
  body.copy(frame, RECORD_AT + text.length)
  return frame
}

/** The parts of a frame; `undefined` for whatever else somebody has put under the key. Never throws. */
export function fromFrame(value: unknown, key: string): { readonly record: ResponseRecord; readonly body: Buffer } | undefined {
  if (!(value instanceof Uint8Array)) return undefined
  const frame = Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (frame.length < RECORD_AT || frame.readUInt16LE(0) !== MAGIC || frame.readUInt8(2) !== VERSION) return undefined
  const bodyAt = RECORD_AT + frame.readUInt32LE(3)
  if (bodyAt + frame.readUInt32LE(7) !== frame.length) return undefined
  try {
    const values: unknown = JSON.parse(frame.toString('utf8', RECORD_AT, bodyAt))
    if (!Array.isArray(values) || values.length !== FIELDS.length) return undefined
    const [readKey, status, statusMessage, headers, selecting, family, freshMs, initialAgeMs, whileRevalidatingMs, ifErrorMs, storedAt, mayBeStale, forBearers, isPublic] = values as unknown[]
    // In the order in which it is made elsewhere, so that both are of one hidden class.
    const record = { key: readKey, status, statusMessage, headers, selecting, family, freshMs, initialAgeMs, whileRevalidatingMs, ifErrorMs, mayBeStale, forBearers, isPublic, storedAt }
    return isRecord(record) && record.key === key ? { record, body: frame.subarray(bodyAt) } : undefined
  } catch {
    return undefined
  }
}

/** Whether nothing in it can do harm, whoever has written it. */
function isRecord(record: Record<keyof ResponseRecord, unknown>): record is Record<keyof ResponseRecord, unknown> & ResponseRecord {
  const durations = [record.freshMs, record.initialAgeMs, record.whileRevalidatingMs, record.ifErrorMs, record.storedAt]
  return (
    durations.every((duration) => Number.isFinite(duration)) &&
    Number.isInteger(record.status) &&
    (record.status as number) >= 200 &&
    (record.status as number) <= 599 &&
    [record.key, record.statusMessage, record.family].every((text) => typeof text === 'string') &&
    [record.forBearers, record.isPublic, record.mayBeStale].every((flag) => typeof flag === 'boolean') &&
    isValueOf(record.statusMessage as string) &&
    isHeaderList(record.headers) &&
    isHeaderList(record.selecting)
  )
}

/** What says where an answer ends, which nobody but Node does; and what would make one visitor another. */
const NEVER_KEPT = new Set(['transfer-encoding', 'content-length', 'connection', 'set-cookie'])

function isHeaderList(list: unknown): boolean {
  if (!Array.isArray(list) || list.length % 2 !== 0 || !list.every((text) => typeof text === 'string')) return false
  const texts: readonly string[] = list
  for (let i = 0; i < texts.length; i += 2) {
    const [name = '', value = ''] = [texts[i], texts[i + 1]]
    validateHeaderName(name)
    validateHeaderValue(name, value)
    // In lower case, as all that is kept here; another way to write one would be another way in.
    if (name !== name.toLowerCase() || NEVER_KEPT.has(name)) return false
  }
  return true
}

function isValueOf(text: string): boolean {
  validateHeaderValue('x-status-message', text)
  return true
}
