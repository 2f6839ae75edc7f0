import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../../core/test/docs/pages.js'
import { Page } from '../../../core/test/docs/tables.js'

const PAGE = 'docs/Reference/realtime-needs.md'
const TESTS = 'packages/realtime/test'
/** Where tests run, by what stands around them; those with nothing around them run in memory. */
const GROUNDS: Readonly<Record<string, readonly string[]>> = { describeEverywhere: ['memory', 'Redis'], describeOnRedis: ['Redis'], describeWithRedis: ['Redis'] }

interface LabelledTest {
  readonly need: string
  readonly file: string
  readonly grounds: readonly string[]
}

/** Tests whose titles end in the needs they show: `… (A5, A6)`. */
function labelled(file: string): LabelledTest[] {
  let around: readonly string[] = []
  return readFileSync(join(root, file), 'utf8').split('\n').flatMap((line) => {
    around = GROUNDS[/^ *(describe\w*)\(/.exec(line)?.[1] ?? ''] ?? around
    const [, indent = '', labels = ''] = /^( *)(?:it\(|\]\)\().*\(((?:[A-D]\d(?:, )?)+)\)['`],/.exec(line) ?? []
    return labels.split(', ').filter(Boolean).map((need) => ({ need, file, grounds: indent === '' ? ['memory'] : around }))
  })
}

const tests = readdirSync(join(root, TESTS), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .flatMap((name) => labelled(`${TESTS}/${name}`))

const rows = new Page(PAGE).section('Needs').split('\n').filter((line) => /^\| [A-D]\d:/.test(line)).map((line) => {
  const [first = '', name = '', page = '', files = ''] = line.split('|').slice(1).map((cell) => cell.trim())
  const links = (cell: string): string[] => Array.from(cell.matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => join(dirname(PAGE), link))
  return { need: first.slice(0, 2), name: name.replaceAll('`', ''), page: links(page)[0] ?? '', files: links(files) }
})

test('every need that a test is named after has its row', () => {
  expect([...new Set(tests.map(({ need }) => need))].toSorted()).toEqual(rows.map(({ need }) => need))
})

test.each(rows)('$need has tests in memory and on Redis, in the files that its row names', ({ need, files }) => {
  const own = tests.filter((each) => each.need === need)

  expect([...new Set(own.flatMap(({ grounds }) => grounds))].toSorted()).toEqual(need === 'A8' ? ['Redis'] : ['Redis', 'memory'])
  expect(files.toSorted()).toEqual([...new Set(own.map(({ file }) => file))].toSorted())
})

test.each(rows)('$need is shown on its page: $name', ({ name, page }) => {
  expect(readFileSync(join(root, page), 'utf8')).toContain(name)
})
