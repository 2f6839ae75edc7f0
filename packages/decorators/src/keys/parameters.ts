/** The parameters of a method, as far as its source tells. */
export interface ParameterList {
  /** Empty for what has none: a destructured parameter. */
  readonly names: readonly string[]
  /** Whether it can make a difference how many arguments there are: a rest parameter, or `arguments`. */
  readonly countMatters: boolean
}

const UNREADABLE: ParameterList = { names: [], countMatters: true }

export function parametersOf(method: (...args: never[]) => unknown): ParameterList {
  const source = Function.prototype.toString.call(method)
  // A computed name may hold parentheses of its own, and a bound function has no source.
  if (/^(?:async\s)?\s*\*?\s*\[|\[native code\]/.test(source)) return UNREADABLE
  const written = listIn(source)
  return {
    names: written.map((parameter) => /^(?:\.\.\.)?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(parameter)?.[1] ?? ''),
    countMatters: written.some((parameter) => parameter.startsWith('...')) || /\barguments\b/.test(source),
  }
}

const OPENING = new Set(['(', '[', '{'])
const CLOSING = new Set([')', ']', '}'])
/** What is text and no code: its commas and brackets mean nothing. */
const TEXT = /\/\*[^]*?\*\/|\/\/.*|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`/y

/** What stands between the first parentheses, at its commas. */
function listIn(source: string): string[] {
  const parameters = ['']
  let depth = 0
  for (let i = source.indexOf('('); i < source.length; i++) {
    TEXT.lastIndex = i
    const text = TEXT.exec(source)?.[0]
    if (text !== undefined) {
      i += text.length - 1
      continue
    }
    const character = source[i] as string
    if (CLOSING.has(character) && --depth === 0) break
    if (character === ',' && depth === 1) parameters.push('')
    else if (depth > 0) parameters.push(`${parameters.pop()}${character}`)
    if (OPENING.has(character)) depth++
  }
  return parameters.map((parameter) => parameter.trim()).filter((parameter) => parameter !== '')
}
