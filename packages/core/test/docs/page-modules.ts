import { snippetsOf, type Snippet } from './snippets.js'

/** Code that stands or falls together: the page's blocks joined, or one block marked `separate`. */
export interface PageModule {
  readonly name: string
  readonly title: string
  readonly language: 'ts' | 'js'
  /** As long as the page, with every line of code where the page has it, so that errors name the page's lines. */
  readonly code: string
  readonly setup: readonly string[]
  /** Whether any of its blocks takes a Redis. */
  readonly redis: boolean
}

/** What of a page is run. */
export function modulesToRun(page: string): PageModule[] {
  return modules(snippetsOf(page).filter((snippet) => snippet.noRun === undefined && snippet.noCheck === undefined))
}

/** What of a page must satisfy the compiler: also what is not run. */
export function modulesToCheck(page: string): PageModule[] {
  return modules(snippetsOf(page).filter((snippet) => snippet.noCheck === undefined))
}

function modules(snippets: readonly Snippet[]): PageModule[] {
  const joined = snippets.filter((snippet) => !snippet.separate)
  const alone = snippets.filter((snippet) => snippet.separate)
  return [
    ...(joined.length > 0 ? [assemble('page', 'its snippets, in order, give what they claim', 'ts', joined)] : []),
    ...alone.map((snippet) =>
      assemble(`line-${snippet.line}`, `line ${snippet.line} (${snippet.heading}) gives what it claims`, snippet.language, [snippet]),
    ),
  ]
}

function assemble(name: string, title: string, language: 'ts' | 'js', snippets: readonly Snippet[]): PageModule {
  const lines: string[] = []
  for (const { line, code } of snippets) {
    while (lines.length < line - 1) lines.push('')
    lines.push(...code)
  }
  return { name, title, language, code: lines.join('\n'), setup: [...new Set(snippets.flatMap(({ setup }) => setup))], redis: snippets.some(({ redis }) => redis) }
}
