/** Directives by lower-case name, each with its argument without quotes; `''` for an empty argument, `true` for none. */
export type Directives = ReadonlyMap<string, string | true>

export const noDirectives: Directives = new Map()

// Quoted strings are taken whole, also one that has no end: what is inside of them is no directive.
const DIRECTIVE = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.?)*)(?:"|$)|([^",;]*)))?|"(?:[^"\\]|\\.?)*(?:"|$)|[^,]/g

/** The directives of a `Cache-Control` (RFC 9111, section 5.2), of which the first of each name counts (section 4.2.1). */
export function parseDirectives(field: string): Directives {
  const directives = new Map<string, string | true>()
  for (const [, name, quoted, bare] of field.matchAll(DIRECTIVE)) {
    if (name === undefined) continue
    const lower = name.toLowerCase()
    if (!directives.has(lower)) directives.set(lower, quoted?.replaceAll(/\\(.)/g, '$1') ?? bare?.trim() ?? true)
  }
  return directives
}

/** A number of seconds; 0 for an argument that is none, since what is not understood is stale (RFC 9111, section 4.2.1); `undefined` without the directive. */
export function seconds(directives: Directives, name: string): number | undefined {
  const argument = directives.get(name)
  if (argument === undefined) return undefined
  return typeof argument === 'string' && /^\d+$/.test(argument) ? Math.min(Number(argument), LONGEST_SECONDS) : 0
}

/** Larger numbers mean as long as possible (RFC 9111, section 1.2.2). */
const LONGEST_SECONDS = 2 ** 31

/** The field names a qualified `private` or `no-cache` lists; empty for the unqualified form. */
export function fieldsOf(directives: Directives, name: string): readonly string[] {
  const argument = directives.get(name)
  if (typeof argument !== 'string') return []
  return argument.toLowerCase().split(',').map((field) => field.trim()).filter((field) => field !== '')
}

/** Whether the directive is there and is not limited to some fields. */
export function isUnqualified(directives: Directives, name: string): boolean {
  return directives.has(name) && fieldsOf(directives, name).length === 0
}
