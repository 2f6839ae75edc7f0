import { createHash, randomUUID } from 'node:crypto'
import { textOf } from '../families/index.js'

/** `search:`, the query and its filters as JSON. Filters that JSON cannot carry get a key that nobody else gets, so they are never found. */
export function searchKey(query: string, filters: unknown): string {
  try {
    return `search:${textOf(query)}:${JSON.stringify(filters)}`
  } catch {
    return `search:${textOf(query)}:${randomUUID()}`
  }
}

/** `chat:` and a SHA-256 over the message and its context. What JSON cannot carry, or cannot be told, gets a hash that nobody else gets. */
export function messageHash(message: string, contextOf: () => unknown): string {
  try {
    const context = contextOf()
    // As one array: no message can look like another one with its context.
    const content = JSON.stringify(context ? [message, context] : [message])
    return `chat:${createHash('sha256').update(content).digest('base64url')}`
  } catch {
    return `chat:${randomUUID()}`
  }
}
