import { globMatcher } from '@tiercel/core/connection'
import { keyWithin } from './scoped-key.js'

const SEARCH = 'search:'

/** Matches a pattern against a key as its user gave it: all of it, or what follows `search:`. What is no pattern matches everything: to forget too much is only a miss. */
export function matcherOf(pattern: string): (key: string) => boolean {
  let matches: (text: string) => boolean
  try {
    matches = globMatcher(pattern)
  } catch {
    return () => true
  }
  return (key) => {
    const within = keyWithin(key)
    return matches(within) || (within.startsWith(SEARCH) && matches(within.slice(SEARCH.length)))
  }
}
