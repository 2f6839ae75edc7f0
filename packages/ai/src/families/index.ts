import { Family, type FamilyStats } from './family.js'
import { keyWithin } from './scoped-key.js'
import { textOf } from './text.js'

export type { Entry } from './entry.js'
export { Family, type FamilyStats } from './family.js'
export { matcherOf } from './pattern.js'
export { scopedKey } from './scoped-key.js'
export { textOf } from './text.js'

export const familyNames = ['search', 'recommendation', 'analytics', 'chat'] as const
export type FamilyName = (typeof familyNames)[number]

/** Hits, misses, size and bound of every family. */
export type AICacheStats = Record<FamilyName, FamilyStats>

export type Families = Readonly<Record<FamilyName, Family>>

/** What makes one key of a user and a limit. */
export function recommendationKey(userId: unknown, limit: unknown): string {
  return `${textOf(userId)}:${textOf(limit)}`
}

/** Whose values the keys of a family are; `undefined` where they are nobody's. A limit has no colon in it, so the last one ends the user's id. */
export const userOf: Readonly<Record<FamilyName, ((key: string) => string) | undefined>> = {
  search: undefined,
  recommendation: (key) => {
    const within = keyWithin(key)
    return within.slice(0, within.lastIndexOf(':'))
  },
  analytics: keyWithin,
  chat: undefined,
}

export function openFamilies(sizes: Readonly<Record<FamilyName, number>>): Families {
  const open = (name: FamilyName) => new Family(sizes[name], userOf[name])
  return { search: open('search'), recommendation: open('recommendation'), analytics: open('analytics'), chat: open('chat') }
}
