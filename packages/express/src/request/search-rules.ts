import { parseDictionary } from '../fields/structured.js'
import type { QueryRule } from './query.js'
import { pathOf } from './request-key.js'

/** What a `No-Vary-Search` says, and the field itself. */
export interface SearchRule extends QueryRule {
  readonly field: string
}

const MOST_PATHS = 1000
const LONGEST_FIELD = 1024

/** Which parameters do not count, by path, as responses have said. A process learns it by itself; until it has, each URL has a response of its own. */
export class SearchRules {
  readonly #byPath = new Map<string, SearchRule>()

  for(address: string): SearchRule | undefined {
    return this.#byPath.size === 0 ? undefined : this.#byPath.get(pathOf(address))
  }

  /** @param field The `No-Vary-Search` of the last response of this path. */
  learn(path: string, field: string | undefined): void {
    const rule = field === undefined ? undefined : parseSearchRule(field)
    this.#byPath.delete(path)
    if (rule === undefined) return
    this.#byPath.set(path, rule)
    if (this.#byPath.size > MOST_PATHS) for (const oldest of this.#byPath.keys()) return void this.#byPath.delete(oldest)
  }
}

/** `undefined` for what is malformed, and for what leaves every parameter in force. */
export function parseSearchRule(field: string): SearchRule | undefined {
  const dictionary = field.length > LONGEST_FIELD ? undefined : parseDictionary(field)
  if (dictionary === undefined) return undefined
  const [params, except, sorts] = [dictionary.get('params') ?? false, dictionary.get('except'), dictionary.get('key-order') ?? false]
  if (typeof sorts !== 'boolean') return undefined
  if (params === true) {
    const kept = except === undefined ? [] : stringsOf(except)
    return kept === undefined ? undefined : { field, sorts, counts: (name) => kept.includes(name) }
  }
  const ignored = params === false ? [] : stringsOf(params)
  if (ignored === undefined || except !== undefined || (ignored.length === 0 && !sorts)) return undefined
  return { field, sorts, counts: (name) => !ignored.includes(name) }
}

function stringsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined
}
