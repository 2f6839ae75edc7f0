import { readdirSync, readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { expect, it } from 'vitest'

/** Neither version of Express runs over HTTP/2. */
const WITHOUT_EXPRESS = 'http2'

const tests = resolve(import.meta.dirname, '..')
const sources = new Map(
  readdirSync(tests, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => [basename(path, '.test.ts'), readFileSync(resolve(tests, path), 'utf8')] as const),
)

it('has tests for all of the documented cases, on both versions of Express', () => {
  const page = readFileSync(resolve(tests, '../../../docs/Reference/http-safety.md'), 'utf8')
  const rows = page.split('\n').flatMap((line) => {
    const [, number, rest = ''] = /^\| (\d+) \|(.*)\|$/.exec(line) ?? []
    return number === undefined ? [] : [{ number: Number(number), named: [...rest.slice(rest.lastIndexOf(' | ')).matchAll(/`([^`]+)`/g)].map(([, name = '']) => name) }]
  })
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 53 }, (_, i) => i + 1))

  for (const { number, named } of rows) {
    expect([number, named.length]).not.toEqual([number, 0])
    for (const name of named) {
      const [file = '', title = ''] = name.split(/: (.*)/s)
      const source = sources.get(file) ?? ''
      expect([name, source.includes(`'${title}`)]).toEqual([name, true])
      expect([file, source.includes('onBothVersions(') || file === WITHOUT_EXPRESS]).toEqual([file, true])
    }
  }
})
