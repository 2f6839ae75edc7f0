import { expect, test } from 'vitest'
import { withClaimsChecked } from './claims.js'
import { modulesToRun } from './page-modules.js'
import { snippetsOf } from './snippets.js'

const fenced = (info: string, ...code: string[]): string => ['```' + info, ...code, '```'].join('\n')

test('blocks of TypeScript and JavaScript are snippets and other blocks are not', () => {
  const page = [fenced('ts', 'a'), fenced('sh', 'b'), fenced('', 'c'), fenced('js', 'd'), '    ~~~ts', '    e', '    ~~~'].join('\n')

  expect(snippetsOf(page).map(({ code }) => code.join().trim())).toEqual(['a', 'd', 'e'])
})

test('a fence inside a longer fence is text', () => {
  expect(snippetsOf(['````md', fenced('ts', 'a'), '````'].join('\n'))).toEqual([])
})

test('a block in an HTML comment is a snippet', () => {
  expect(snippetsOf(`<!--\n${fenced('ts', 'a')}\n-->`)).toHaveLength(1)
})

test.each([
  ['typescript', 'call it ts or js'],
  ['ts norun', 'no meaning'],
  ['ts no-run', 'needs its reason'],
  ['ts no-run=""', 'needs its reason'],
  ['ts {1,3}', 'no meaning'],
])('a block marked "%s" is refused', (info, why) => {
  expect(() => snippetsOf(fenced(info, 'a'))).toThrow(why)
})

test('a block that is never closed is refused', () => {
  expect(() => snippetsOf('```ts\na')).toThrow('never closed')
})

test('the blocks of a page join into one module that keeps their lines, and separate ones stand alone', () => {
  const page = ['# A', fenced('ts setup=db', 'one'), '# B', fenced('ts separate', 'two'), fenced('ts setup=db,more', 'three')].join('\n')

  expect(modulesToRun(page)).toMatchObject([
    { name: 'page', code: '\n\none\n\n\n\n\n\n\nthree', setup: ['db', 'more'] },
    { name: 'line-7', title: 'line 7 (B) gives what it claims', code: '\n\n\n\n\n\ntwo', setup: [] },
  ])
})

test('one block that takes a Redis gives one to the module it is part of', () => {
  const page = [fenced('ts', 'one'), fenced('ts redis', 'two'), fenced('ts separate', 'three')].join('\n')

  expect(modulesToRun(page).map(({ name, redis }) => [name, redis])).toEqual([['page', true], ['line-8', false]])
})

test('a block with an excuse is not run', () => {
  expect(modulesToRun([fenced('ts no-run="needs a server"', 'a'), fenced('ts no-check="only a sketch"', 'b')].join('\n'))).toEqual([])
})

test.each([
  ['f(1) // => 2', "checks.value(f(1), () => (2), false, 'p:1') // => 2"],
  ['await f(1); // => [1]', "checks.value(await f(1), () => ([1]), false, 'p:1'); // => [1]"],
  ['console.log(x) // => 2', "checks.value(x, () => (2), false, 'p:1') // => 2"],
  ['f(1)\n// => 2', "checks.value(f(1), () => (2), false, 'p:2')\n// => 2"],
  ['const x: number = f() // => 2', "const x: number = f(); checks.value((x), () => (2), false, 'p:1') // => 2"],
  ['const { a } = f() // => { a: 2 }', "const { a } = f(); checks.value(({ a }), () => ({ a: 2 }), false, 'p:1') // => { a: 2 }"],
  ['s() // => { hits: 1, ... }', "checks.value(s(), () => ({ hits: 1 }), true, 'p:1') // => { hits: 1, ... }"],
  ['() => { f(1) // => 2\n}', "() => { checks.value(f(1), () => (2), false, 'p:1') // => 2\n}"],
  ['f(1) // throws TIERCEL_CLOSED', "await checks.code(async () => { await (f(1)) }, 'TIERCEL_CLOSED', 'p:1') // throws TIERCEL_CLOSED"],
])('the claim in %j is checked', (code, checked) => {
  expect(withClaimsChecked(code, 'p')).toBe(checked)
})

test('a claim about nothing is refused', () => {
  expect(() => withClaimsChecked('// => 2', 'p')).toThrow('p:1: there is no statement')
  expect(() => withClaimsChecked('const x = f() // throws TIERCEL_CLOSED', 'p')).toThrow('stands behind an expression')
  expect(() => withClaimsChecked('f() // throws an error', 'p')).toThrow('an error')
})
