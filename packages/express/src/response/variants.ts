import { createHash, randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { valueOf, type HeaderList } from '../fields/header-list.js'
import type { ResponseRecord } from './stored-response.js'

/** A run of spaces is looked at from its beginning only: from each of its places, a header full of them would take a second. */
const SPACE_AT_SEPARATOR = /(?<![ \t])[ \t]+(?=[,;])|(?<=[,;])[ \t]+/g

/**
 * The value of a request header by which variants are told apart: written alike whatever the spacing, and the case where it has no meaning (RFC 9111, section 4.1). The order of
 * what is wanted equally has none either, but handlers give it one.
 */
export function selectingValue(headers: IncomingHttpHeaders, name: string): string {
  // An own field only: `Vary` may name anything, such as `constructor`.
  if (!Object.hasOwn(headers, name)) return ''
  const found = headers[name]
  const value = (Array.isArray(found) ? found.join(',') : (found ?? '')).replaceAll(SPACE_AT_SEPARATOR, '').trim()
  // A header that is there and empty is not the same as none.
  return `=${name.startsWith('accept') ? value.toLowerCase() : value}`
}

export function selectingHeaders(headers: IncomingHttpHeaders, names: readonly string[]): HeaderList {
  return names.flatMap((name) => [name, selectingValue(headers, name)])
}

/** Whether a stored response is the one that a request with these headers would be given. */
export function isSelected({ selecting, headers: stored }: Pick<ResponseRecord, 'selecting' | 'headers'>, headers: IncomingHttpHeaders): boolean {
  for (let i = 0; i < selecting.length; i += 2) {
    const name = selecting[i] as string
    if (selectingValue(headers, name) !== selecting[i + 1] && !(name === 'accept-language' && isInFavouriteLanguage(stored, headers))) return false
  }
  return true
}

/** Who likes one language best is given it whatever comes after it, since there is a page in it. */
function isInFavouriteLanguage(stored: HeaderList, headers: IncomingHttpHeaders): boolean {
  const language = valueOf(stored, 'content-language')?.toLowerCase()
  if (language === undefined) return false
  const wanted = selectingValue(headers, 'accept-language').slice(1).split(',').map((range) => {
    const [tag = '', quality] = range.split(';q=')
    return { tag, quality: quality === undefined ? 1 : Number(quality) }
  })
  const own = wanted.find(({ tag }) => tag === language)
  return own !== undefined && wanted.every(({ tag, quality }) => tag === language || quality < own.quality)
}

/** The key of the variant that a request with these headers would be given. */
export function variantKey(key: string, family: string, selecting: HeaderList, headers: IncomingHttpHeaders): string {
  const hash = createHash('sha256')
  for (let i = 0; i < selecting.length; i += 2) {
    const value = selectingValue(headers, selecting[i] as string)
    hash.update(`${selecting[i]} ${value.length} ${value}`)
  }
  return `${key} ~${family}${hash.digest('base64url').slice(0, 22)}`
}

export function newFamily(): string {
  return randomBytes(9).toString('base64url')
}

/** The names `Vary` lists, in order; `undefined` when it has a `*`. */
export function varyNames(vary: readonly string[]): readonly string[] | undefined {
  if (vary.includes('*')) return undefined
  return [...new Set(vary)].sort()
}
