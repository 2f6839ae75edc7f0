/** What an invalidation names, and how others are told: as tags. Only that of a user is on any entry; the others are messages that arrive in order with all the rest. */

const USER = 'user:'
const PATTERN = 'pattern:'
const COUNT = 'change:'

/** Beside "all": only what Redis holds is meant, not what processes have in memory. */
export const REDIS_ONLY = 'redis-only'

export const userLabel = (user: string): string => USER + user
export const patternLabel = (pattern: string): string => PATTERN + pattern
export const countLabel = (count: string): string => COUNT + count

export interface Labels {
  readonly users: readonly string[]
  readonly patterns: readonly string[]
  readonly counts: readonly string[]
}

export function readLabels(tags: readonly string[]): Labels {
  const after = (mark: string) => tags.filter((tag) => tag.startsWith(mark)).map((tag) => tag.slice(mark.length))
  return { users: after(USER), patterns: after(PATTERN), counts: after(COUNT) }
}

const LONGEST_KEY = 65_536
const LONGEST_NAME = 1000

/** Whether Redis can hold a key: what it cannot stays in this process. */
export function canBeShared(key: string): boolean {
  return key !== '' && key.length <= LONGEST_KEY && key.isWellFormed()
}

/** Whether a user or a pattern can be named to others. */
export function canBeTold(name: string): boolean {
  return name.length <= LONGEST_NAME && name.isWellFormed()
}
