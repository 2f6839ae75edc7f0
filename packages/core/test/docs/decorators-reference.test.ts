import { expect, test } from 'vitest'
import * as decorators from '../../../decorators/src/index.js'
import { membersOf, source } from './declared.js'
import { Page } from './tables.js'

const reference = new Page('docs/Reference/decorators.md')

const named = (rows: ReadonlyMap<string, unknown>): string[] => [...rows.keys()].toSorted()

const tables = [
  ['CachedOptions', 'options.ts', 'Cached'],
  ['CacheConfigOptions', 'options.ts', 'CacheConfig'],
  ['InvalidatesOptions', 'options.ts', 'Invalidates'],
  ['CachePutOptions', 'options.ts', 'CachePut'],
  ['MethodCache', 'cache-of.ts', 'cacheOf'],
  ['CachedMethodInfo', 'cached-methods.ts', 'cachedMethods'],
] as const

test.each(tables)('every field of %s has its row, and no row is about anything else', (type, file, heading) => {
  expect(named(reference.rows(heading))).toEqual(membersOf(file, type, 'decorators').map(({ name }) => name).toSorted())
})

test('everything that is exported has a heading of its own', () => {
  expect(Object.keys(decorators).filter((name) => !reference.headings.includes(name))).toEqual([])
})

/** What the options are that a decorator knows, as it says itself. */
function known(decorate: (options: never) => unknown): string[] {
  try {
    decorate({ nonsense: 1 } as never)
  } catch (error) {
    return (/It has: (.*)$/.exec((error as Error).message)?.[1] ?? '').split(', ').toSorted()
  }
  return []
}

test('the options that decorators know are those with a row, and those of a call', () => {
  const { Cached, CacheConfig, Invalidates, CachePut } = decorators
  const ofACall = /And(?: those of a call:)? (`grace`.*?)\./.exec(reference.section('Cached'))?.[1]?.match(/\w+/g) ?? []
  const rows = (heading: string) => named(reference.rows(heading))

  expect(known(Cached)).toEqual([...rows('Cached'), ...ofACall].toSorted())
  expect(known(CacheConfig)).toEqual([...rows('CacheConfig'), ...ofACall].toSorted())
  expect(known(Invalidates)).toEqual(rows('Invalidates'))
  expect(known(CachePut)).toEqual(rows('CachePut'))
  expect(reference.section('CacheConfig')).toContain(`And ${ofACall.map((name) => `\`${name}\``).join(', ')}.`)
})

test('the limits in the table are those of the sources', () => {
  const constant = (file: string, name: string) => Number(new RegExp(`const ${name} = ([\\d_]+)$`, 'm').exec(source(file, 'decorators'))?.[1]?.replaceAll('_', ''))
  const said = [...reference.section('Limits').matchAll(/\| ([\d,]+)/g)].map(([, number = '']) => Number(number.replaceAll(',', '')))

  expect(said).toEqual([constant('methods/names.ts', 'MOST_NAMES'), constant('keys/arguments-key.ts', 'LONGEST'), constant('keys/canonical.ts', 'DEEPEST')])
})
