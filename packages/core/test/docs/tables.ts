import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './pages.js'

/** A page of the documentation by its headings. */
export class Page {
  readonly #sections = new Map<string, string>()

  constructor(path: string) {
    const [, ...sections] = readFileSync(join(root, path), 'utf8').split(/^#{2,} (?=.*$)/m)
    for (const section of sections) {
      const heading = section.split('\n', 1)[0] ?? ''
      this.#sections.set(heading, section.slice(heading.length))
    }
  }

  get headings(): string[] {
    return [...this.#sections.keys()]
  }

  section(heading: string): string {
    const text = this.#sections.get(heading)
    if (text === undefined) throw new Error(`There is no heading "${heading}"`)
    return text
  }

  /** The rows of the tables under a heading, by what their first cell names. */
  rows(heading: string): Map<string, string[]> {
    const rows = this.section(heading).split('\n').filter((line) => line.startsWith('| `'))
    return new Map(rows.map((row) => row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())).map(([first = '', ...rest]) => [nameIn(first), rest]))
  }
}

/** `ctx.tags(...tags)` is a row about `tags`. */
const nameIn = (cell: string): string => cell.replaceAll('`', '').replace(/\(.*\)$/, '')
