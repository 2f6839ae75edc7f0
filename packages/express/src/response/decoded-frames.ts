import { fromFrame } from './frame.js'
import { StoredResponse } from './stored-response.js'

/** What was read out of frames, as long as those are in memory: a hit decodes nothing. */
const decoded = new WeakMap<object, StoredResponse>()

export function remember(frame: Buffer, response: StoredResponse): void {
  decoded.set(frame, response)
}

export function known(frame: unknown): StoredResponse | undefined {
  return decoded.get(frame as object)
}

/** @param elapsed How long ago it was stored, in milliseconds; asked only when nothing is known of the frame. */
export function decode(frame: unknown, key: string, elapsed: (storedAt: number, usableMs: number) => number): StoredResponse | undefined {
  const parts = fromFrame(frame, key)
  if (parts === undefined) return undefined
  const { record, body } = parts
  const usableMs = record.freshMs - record.initialAgeMs + record.whileRevalidatingMs
  const response = new StoredResponse(record, body, elapsed(record.storedAt, usableMs))
  remember(frame as Buffer, response)
  return response
}
