/** One thing the demo says, and whether the run bore it out. */
interface Claim {
  says: string
  holds: boolean
}

/** What one show has to tell: a heading, a table with a header row, notes, and the claims that were counted. */
export interface Chapter {
  heading: string
  table: string[][]
  notes?: string[]
  claims: Claim[]
}

const plain = (text: string): string => text

/** How a heading, a success and a failure look: coloured for a terminal, plain for a pipe. */
export interface Look {
  heading: (text: string) => string
  good: (text: string) => string
  bad: (text: string) => string
}

export function lookFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Look {
  if (!stream.isTTY || env['NO_COLOR']) return { heading: plain, good: plain, bad: plain }
  const paint = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`
  return { heading: paint(1), good: paint(32), bad: paint(31) }
}

export function printChapter({ heading, table, notes = [], claims }: Chapter, look: Look): string {
  const lines = ['', look.heading(heading), ...aligned(table)]
  for (const note of notes) lines.push(`  ${note}`)
  for (const { says, holds } of claims) lines.push(holds ? look.good(`  ok      ${says}`) : look.bad(`  FAILED  ${says}`))
  return lines.join('\n') + '\n'
}

/** The first column to the left, numbers to the right, a rule under the header. */
function aligned(table: string[][]): string[] {
  const widths: number[] = []
  for (const row of table) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)))
  const lines = table.map((row) => {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
    return `  ${cells.join('   ')}`.trimEnd()
  })
  const rule = `  ${'-'.repeat(widths.reduce((sum, width) => sum + width, 3 * (widths.length - 1)))}`
  return [...lines.slice(0, 1), rule, ...lines.slice(1)]
}

export function count(number: number): string {
  return number.toLocaleString('en-US')
}

export function milliseconds(number: number): string {
  if (number >= 1000) return `${(number / 1000).toFixed(2)} s`
  return `${number.toFixed(number < 10 ? 2 : 1)} ms`
}
