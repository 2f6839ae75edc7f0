import { randomUUID } from 'node:crypto'

/** What somebody without a compiler passes for a key, as text. What has none gets one that nobody else gets, so nothing is found under it. */
export function textOf(key: unknown): string {
  if (typeof key === 'string') return key
  try {
    return String(key)
  } catch {
    return randomUUID()
  }
}
