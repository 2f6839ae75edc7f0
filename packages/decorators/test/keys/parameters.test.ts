import { expect, it } from 'vitest'
import { parametersOf } from '../../src/keys/parameters.js'

/** As a method has it, whatever compiles this file. */
const method = (source: string): (() => unknown) => (Function(`return ({ ${source} })`)() as Record<string, () => unknown>)['m'] as () => unknown

it.each<[string, string[], boolean]>([
  ['m() {}', [], false],
  ['async m(id) {}', ['id'], false],
  ["async m(id, page = 1, sort = 'a,b(') {}", ['id', 'page', 'sort'], false],
  ['async m({ a, b: [c] }, [d] = [1, (2)], last) {}', ['', '', 'last'], false],
  ['async m(first, ...rest) {}', ['first', 'rest'], true],
  ['m(/* , ( */ a, // no\n b) {}', ['a', 'b'], false],
  ['m(a = (x, y) => [x, y], b = `${1},`) {}', ['a', 'b'], false],
  ['m(a) { return arguments.length }', ['a'], true],
  ["m(url = 'http://a', ...rest) {}", ['url', 'rest'], true],
  ['async *m($a, _b) {}', ['$a', '_b'], false],
  ['m: function (a, b) {}', ['a', 'b'], false],
])('reads the parameters of %s', (source, names, countMatters) => {
  expect(parametersOf(method(source))).toEqual({ names, countMatters })
})

it('supposes that the number of arguments matters where it cannot read them', () => {
  expect(parametersOf(method('m(a) {}').bind(undefined)).countMatters).toBe(true)
  expect(parametersOf((Function("return ({ [('m')](...a) {} }).m")() as () => unknown)).countMatters).toBe(true)
})
