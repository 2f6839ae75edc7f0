import { InvalidOptionError } from '@tiercel/core'
import type { QueryOption } from '../options.js'

/** Whether parameters of a name count, and whether their order does. */
export interface QueryRule {
  readonly counts: (name: string) => boolean
  readonly sorts: boolean
}

/** @throws {InvalidOptionError} */
export function resolveQuery(option: QueryOption | undefined): QueryRule | undefined {
  if (option === undefined) return undefined
  if (typeof option !== 'object' || option === null) throw new InvalidOptionError("query is an object such as { ignore: ['utm_*'] }")
  const { only, ignore = [], sort = false, ...unknown } = option
  const [stranger] = Object.keys(unknown)
  if (stranger !== undefined) throw new InvalidOptionError(`There is no option query.${stranger}; it has only, ignore and sort`)
  for (const names of [only ?? [], ignore]) {
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string' && name !== '')) throw new InvalidOptionError('query.only and query.ignore are lists of names')
  }
  const isAllowed = only === undefined ? () => true : matcher(only)
  const isIgnored = matcher(ignore)
  const counts = (name: string) => isAllowed(name) && !isIgnored(name)
  return { counts: (name) => counts(withoutBrackets(name)), sorts: sort }
}

function matcher(names: readonly string[]): (name: string) => boolean {
  const exact = new Set(names.filter((name) => !name.endsWith('*')))
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1))
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
}

/** A URL with only the parameters that count. Those that stay are written as they were. */
export function narrowUrl(url: string, { counts, sorts }: QueryRule): string {
  const mark = url.indexOf('?')
  if (mark < 0) return url
  const kept = url.slice(mark + 1).split('&').filter((pair) => counts(nameOf(pair)))
  // Stable: parameters of one name stay in their order, which may have a meaning.
  if (sorts) kept.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0))
  return kept.length === 0 ? url.slice(0, mark) : `${url.slice(0, mark)}?${kept.join('&')}`
}

/** As readers of forms decode it. */
function nameOf(pair: string): string {
  const raw = pair.split('=', 1)[0] as string
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return raw
  }
}

/** Brackets end a name: `a[]` and `a[x]` are parts of `a`. */
function withoutBrackets(name: string): string {
  const bracket = name.indexOf('[')
  return bracket > 0 ? name.slice(0, bracket) : name
}
