import { InvalidKeyError, InvalidOptionError, InvalidTagError } from '../errors/index.js'

const MAX_KEY_LENGTH = 65_536
const MAX_TAG_LENGTH = 1024
const MAX_TAGS = 64
const MAX_NAMESPACE_LEVELS = 8

/** @throws {InvalidKeyError} */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== 'string') throw new InvalidKeyError(`A key is a string, not ${key === null ? 'null' : `a value of type ${typeof key}`}`)
  if (key === '') throw new InvalidKeyError('A key must not be empty')
  if (key.length > MAX_KEY_LENGTH) {
    throw new InvalidKeyError(`A key has at most ${MAX_KEY_LENGTH} characters; this one has ${key.length}. Hash the long part`)
  }
  // Lone surrogates all become the same replacement character in UTF-8, so two such keys would be one in Redis.
  if (!key.isWellFormed()) throw new InvalidKeyError('A key must be well-formed Unicode; this one has a lone surrogate. Use `key.toWellFormed()` or encode it')
}

/** @throws {InvalidTagError} */
export function checkTag(tag: unknown, kind: 'tag' | 'room' = 'tag'): asserts tag is string {
  if (typeof tag !== 'string') throw new InvalidTagError(`A ${kind} is a string, not ${tag === null ? 'null' : `a value of type ${typeof tag}`}`)
  if (tag === '') throw new InvalidTagError(`A ${kind} must not be empty`)
  if (tag.length > MAX_TAG_LENGTH) throw new InvalidTagError(`A ${kind} has at most ${MAX_TAG_LENGTH} characters; this one has ${tag.length}`)
  if (!tag.isWellFormed()) throw new InvalidTagError(`A ${kind} must be well-formed Unicode; this one has a lone surrogate`)
}

/** @throws {InvalidTagError} */
export function checkTags(tags: unknown): asserts tags is readonly string[] {
  if (!Array.isArray(tags)) throw new InvalidTagError("Tags are an array of strings, such as ['users']")
  checkTagCount(tags.length)
  for (const tag of tags) checkTag(tag)
}

/** @throws {InvalidTagError} */
export function checkTagCount(count: number): void {
  if (count > MAX_TAGS) throw new InvalidTagError(`An entry has at most ${MAX_TAGS} tags; this one would have ${count}. Use a room, a namespace or a pattern for what they share`)
}

/**
 * The levels of a namespace's path: `app:users` is `users` inside `app`, below those it is opened from.
 *
 * @throws {InvalidOptionError}
 */
export function namespaceLevels(name: unknown, above: readonly string[] = []): string[] {
  const levels = typeof name === 'string' ? name.split(':') : []
  if (levels.length === 0 || !levels.every((level) => /^[A-Za-z0-9_.-]{1,64}$/.test(level))) {
    throw new InvalidOptionError('The name of a cache or namespace is 1 to 64 letters, digits, dots, underscores and hyphens; `:` separates levels')
  }
  const path = [...above, ...levels]
  if (path.length > MAX_NAMESPACE_LEVELS) throw new InvalidOptionError(`Namespaces nest at most ${MAX_NAMESPACE_LEVELS} levels deep`)
  return path
}
