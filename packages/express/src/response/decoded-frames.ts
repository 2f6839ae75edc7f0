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

/** @param leftMs How much longer the cache may give it out, if that is known; else its age is taken from the clock. */
export function decode(frame: unknown, key: string, leftMs: number | undefined): StoredResponse | undefined {
  const parts = fromFrame(frame, key)
  if (parts === undefined) return undefined
  const { record, body } = parts
  const usableMs = record.freshMs - record.initialAgeMs + record.whileRevalidatingMs
  const response = new StoredResponse(record, body, body.length, Math.max(0, leftMs === undefined ? Date.now() - record.storedAt : usableMs - leftMs))
  decoded.set(frame as object, response)
  return response
}
