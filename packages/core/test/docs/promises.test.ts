import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './pages.js'

/** What is told of these is a summary, as their tests are made of tables. */
const SUMMARIZED = /interleavings|invalidation-during-a-load/

const page = readFileSync(join(root, 'docs/Guides/promises.md'), 'utf8')
const rows = [...page.matchAll(/^\| \[[^\]]+\]\(\.\.\/\.\.\/(\S+?)\) \| (.+) \|$/gm)].map(([, file = '', title = '']) => ({ file, title }))

test('each promise stands beside a test', () => {
  const promises = page.split(/^### /m).slice(1)
  expect(promises).toHaveLength(7)
  for (const promise of promises) expect(promise).toMatch(/\| \[\S+\.ts\]\(/)
})

test.each(rows.filter(({ file }) => !SUMMARIZED.test(file)))('$file has the test that the promises name: $title', ({ file, title }) => {
  expect(readFileSync(join(root, file), 'utf8')).toContain(title)
})
