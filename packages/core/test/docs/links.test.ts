import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'
import { pages, root } from './pages.js'

/** What GitHub makes of a heading in an address. */
const anchor = (heading: string): string => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, '').trim().replaceAll(' ', '-')

const withoutCode = (text: string): string => text.replaceAll(/^(`{3,}).*\n[^]*?^\1$/gm, '')

function anchorsOf(file: string): string[] {
  return [...withoutCode(readFileSync(file, 'utf8')).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchor(heading))
}

test.each(pages())('every link of %s leads to a file and a heading that are there', (page) => {
  const text = withoutCode(readFileSync(join(root, page), 'utf8'))
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link).filter((link) => !/^[a-z]+:/i.test(link))
  const broken = links.filter((link) => {
    const [path = '', heading] = link.split('#')
    const file = path === '' ? join(root, page) : join(root, dirname(page), path)
    return !existsSync(file) || (heading !== undefined && !anchorsOf(file).includes(heading))
  })

  expect(broken).toEqual([])
})

test('every page of the documentation is linked from its index', () => {
  const index = readFileSync(join(root, 'docs/index.md'), 'utf8')
  const others = pages().filter((page) => page.startsWith('docs/') && page !== 'docs/index.md')

  expect(others.map((page) => relative('docs', page)).filter((page) => !index.includes(`](${page})`))).toEqual([])
})

test.each(pages().filter((page) => page.startsWith('docs/')))('%s says in one line what it is, then the problem, the solution and the code', (page) => {
  const text = withoutCode(readFileSync(join(root, page), 'utf8'))

  expect(text).toMatch(/^# .+\n\n[^#\n]/)
  expect([...text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading).slice(0, 3)).toEqual(['The problem', 'The solution', 'The code'])
})
