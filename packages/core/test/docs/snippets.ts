/** One fenced block of TypeScript or JavaScript in a page of the documentation. */
export interface Snippet {
  /** The line its code begins on, counted from 1. */
  readonly line: number
  readonly code: readonly string[]
  readonly language: 'ts' | 'js'
  /** The nearest heading above it. */
  readonly heading: string
  /** Whether it is a module of its own rather than a part of the page's. */
  readonly separate: boolean
  /** Names it takes from `fixtures.ts`. */
  readonly setup: readonly string[]
  /** Whether it takes a Redis, found by REDIS_URL. */
  readonly redis: boolean
  /** Why it is not run. */
  readonly noRun: string | undefined
  /** Why it is neither run nor type-checked. */
  readonly noCheck: string | undefined
}

// Any of these would otherwise be a snippet that nobody checks.
const otherNames = new Set(['typescript', 'javascript', 'mts', 'mjs', 'cts', 'cjs', 'tsx', 'jsx', 'node'])

/** All snippets of a page, in order. Throws where a block's info string says something that has no meaning. */
export function snippetsOf(page: string): Snippet[] {
  const snippets: Snippet[] = []
  let heading = ''
  let fence: string | undefined
  let open: (Omit<Snippet, 'code'> & { code: string[] }) | undefined

  for (const [index, line] of page.split(/\r?\n/).entries()) {
    const marker = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(line)
    if (fence !== undefined) {
      if (marker?.[1]?.startsWith(fence) && marker[2] === '') {
        if (open) snippets.push(open)
        fence = open = undefined
      } else {
        open?.code.push(line)
      }
    } else if (marker) {
      fence = marker[1]
      open = opened(marker[2] ?? '', index + 2, heading)
    } else {
      heading = /^#+\s+(.*)$/.exec(line)?.[1] ?? heading
    }
  }
  if (fence !== undefined) throw new SyntaxError('a fenced block is never closed')
  return snippets
}

function opened(info: string, line: number, heading: string): (Omit<Snippet, 'code'> & { code: string[] }) | undefined {
  const refuse = (why: string): never => {
    throw new SyntaxError(`line ${line - 1}: ${why}`)
  }
  const [language = '', ...words] = info.match(/[^\s"]+(?:"[^"]*")?/g) ?? []
  if (otherNames.has(language)) refuse(`a block marked ${language} would not be checked: call it ts or js`)
  if (language !== 'ts' && language !== 'js') return undefined

  const said = new Map<string, string>()
  for (const word of words) {
    const [, name = '', value = ''] = /^([\w-]+)(?:="?([^"]*)"?)?$/.exec(word) ?? refuse(`"${word}" has no meaning here`)
    if (!['separate', 'setup', 'redis', 'no-run', 'no-check'].includes(name)) refuse(`"${name}" has no meaning here`)
    if (name.startsWith('no-') && value.trim().length < 5) refuse(`${name} needs its reason: ${name}="why"`)
    said.set(name, value)
  }
  return {
    line,
    code: [],
    language,
    heading,
    separate: said.has('separate'),
    setup: said.get('setup')?.split(',').filter(Boolean) ?? [],
    redis: said.has('redis'),
    noRun: said.get('no-run'),
    noCheck: said.get('no-check'),
  }
}
