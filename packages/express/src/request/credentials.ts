import type { IncomingHttpHeaders } from 'node:http'

/** What makes a request that of one visitor. */
export interface Credentials {
  readonly authorization: boolean
  /** Cookies that are not part of the key, where those count. */
  readonly cookie: boolean
  readonly handlerSeesCookies: boolean
}

/** @param keyed Names of cookies that are part of the key, where the handler is shown no others. */
export function credentialsOf(headers: IncomingHttpHeaders, keyed: readonly string[] | undefined): Credentials {
  return {
    authorization: headers.authorization !== undefined,
    cookie: keyed === undefined && headers.cookie !== undefined,
    handlerSeesCookies: keyed === undefined,
  }
}

/** The cookies of these names, as a `Cookie` header has them, in the order of the names; `''` for none. */
export function cookiesNamed(header: string | undefined, names: readonly string[]): string {
  if (header === undefined || names.length === 0) return ''
  const pairs = header.split(';').map(pairOf)
  // The first of a name is the one that is read.
  return names.flatMap((name) => pairs.find((pair) => pair?.name === name)?.text ?? []).join('; ')
}

/** As parsers of cookies take it apart: `lang =de` is one called `lang`, and whoever writes it so must not be given a key without it. */
function pairOf(pair: string): { readonly name: string; readonly text: string } | undefined {
  const equals = pair.indexOf('=')
  if (equals < 0) return undefined
  const name = withoutSpaceAround(pair.slice(0, equals))
  return { name, text: `${name}=${withoutSpaceAround(pair.slice(equals + 1))}` }
}

function withoutSpaceAround(text: string): string {
  return text.replaceAll(/^[ \t]+|(?<![ \t])[ \t]+$/g, '')
}
