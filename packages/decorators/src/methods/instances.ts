import type { ClassOf } from '../async-method.js'

/**
 * Gives what has come back from Redis (or as a copy) without its class the class again, also in an array. In place, so that it is done once, and the
 * next reader of the same value finds an instance.
 */
export function asInstances(value: unknown, { prototype }: ClassOf<object>): unknown {
  for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) {
    // Only what has no class: what a method itself returned of another one, or frozen, is left as it is.
    if (typeof each === 'object' && each !== null && Object.getPrototypeOf(each) === Object.prototype && Object.isExtensible(each)) Object.setPrototypeOf(each, prototype)
  }
  return value
}
