/** Deeper or more than this is no set of figures, and would make an answer of any length. */
const MAX_DEPTH = 6
const MAX_FIGURES = 1000

export type Figure = number | boolean | string | null | readonly Figure[] | { readonly [name: string]: Figure }

/** What of a value can be shown: plain data, within bounds. Functions, symbols and what is too deep are left out. */
export function figuresOf(value: unknown): Figure | undefined {
  let left = MAX_FIGURES
  const pick = (part: unknown, depth: number): Figure | undefined => {
    if (left-- <= 0) return undefined
    if (part === null || typeof part === 'boolean' || typeof part === 'string') return part
    if (typeof part === 'number') return Number.isFinite(part) ? part : String(part)
    if (typeof part === 'bigint') return String(part)
    if (part instanceof Date) return String(part.getTime())
    if (typeof part !== 'object' || depth === MAX_DEPTH) return undefined
    if (Array.isArray(part)) return part.map((item) => pick(item, depth + 1) ?? null)
    const fields: [string, Figure][] = []
    for (const name of Object.keys(part)) {
      // What is beyond is not even looked at, however much of it there is.
      if (left <= 0) break
      const figure = pick((part as Record<string, unknown>)[name], depth + 1)
      if (figure !== undefined) fields.push([name, figure])
    }
    return Object.fromEntries(fields)
  }
  return pick(value, 0)
}

/** The numbers among the figures, `true` as 1, by the names that lead to them. Lists have no names and are left out. */
export function* numbersOf(figure: Figure | undefined, path: readonly string[] = []): Generator<readonly [path: readonly string[], value: number]> {
  if (typeof figure === 'number' || typeof figure === 'boolean') yield [path, Number(figure)]
  if (typeof figure !== 'object' || figure === null || Array.isArray(figure)) return
  for (const [name, field] of Object.entries(figure)) yield* numbersOf(field, [...path, name])
}
