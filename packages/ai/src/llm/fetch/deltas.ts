import { isObject, type Json } from './json.js'

/** Fields that are given once, and not piece by piece. */
const GIVEN_ONCE = new Set(['role', 'id', 'type', 'index', 'name', 'format'])

/**
 * What has come so far, and the next piece of it: texts are continued, lists with an index filled at that place, other lists continued, fields merged. `null` adds nothing.
 */
export function mergeDelta(before: unknown, delta: unknown): unknown {
  if (delta === undefined || delta === null) return before ?? delta
  if (before === undefined || before === null) return Array.isArray(delta) ? mergeList([], delta) : isObject(delta) ? mergeFields({}, delta) : delta
  if (typeof before === 'string' && typeof delta === 'string') return before + delta
  if (Array.isArray(before) && Array.isArray(delta)) return mergeList(before, delta)
  return isObject(before) && isObject(delta) ? mergeFields(before, delta) : delta
}

function mergeFields(before: Json, delta: Json): Json {
  const merged: Record<string, unknown> = { ...before }
  for (const [name, value] of Object.entries(delta)) {
    const once = GIVEN_ONCE.has(name) && merged[name] !== undefined && merged[name] !== null && merged[name] !== ''
    const next = once ? merged[name] : mergeDelta(merged[name], value)
    Object.defineProperty(merged, name, { value: next, enumerable: true, configurable: true, writable: true })
  }
  return merged
}

function mergeList(before: readonly unknown[], delta: readonly unknown[]): unknown[] {
  const merged = [...before]
  for (const item of delta) {
    if (!isObject(item) || typeof item.index !== 'number') {
      merged.push(item)
      continue
    }
    const { index, ...rest } = item
    // A hole in the list is a piece that never came.
    if (index < 0 || index > merged.length) throw new RangeError('A piece of the stream is missing')
    merged[index] = mergeDelta(merged[index], rest)
  }
  return merged
}
