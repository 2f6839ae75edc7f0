const MARK = '\0'

/**
 * The key within a scope, such that no two pairs of scope and key are alike, whatever users write into either: `\0`, the length of the scope, `:`, scope and key. Without a
 * scope a key is itself.
 */
export function scopedKey(scope: string, key: string): string {
  return scope === '' && !key.startsWith(MARK) ? key : `${MARK}${scope.length}:${scope}${key}`
}

/** The key as its user gave it. */
export function keyWithin(scoped: string): string {
  if (!scoped.startsWith(MARK)) return scoped
  const colon = scoped.indexOf(':')
  return scoped.slice(colon + 1 + Number(scoped.slice(1, colon)))
}
