import { createCache } from '@tiercel/core'
import { expect, test } from 'vitest'
import * as errors from '../../src/errors/index.js'
import { membersOf, source, type Member } from './declared.js'
import { Page } from './tables.js'

const reference = {
  api: new Page('docs/Reference/api.md'),
  options: new Page('docs/Reference/options.md'),
  errors: new Page('docs/Reference/errors.md'),
  events: new Page('docs/Reference/events.md'),
  metrics: new Page('docs/Reference/metrics.md'),
}

const names = (members: readonly Member[]): string[] => members.map(({ name }) => name).toSorted()
const named = (rows: ReadonlyMap<string, unknown>): string[] => [...rows.keys()].toSorted()
/** What a union of string literals in a source file allows. */
const literals = (file: string, union: string): string[] =>
  [...(new RegExp(`type ${union} =([^]*?)\\n(?!\\s*\\|)`).exec(source(file))?.[1] ?? '').matchAll(/'([^']+)'/g)].map(([, literal = '']) => literal).toSorted()

const optionTables = [
  ['EntryOptions', 'options/options.ts', ['How a value is loaded and kept']],
  ['CallOptions', 'options/options.ts', ['One call']],
  ['CacheOptions', 'options/options.ts', ['The cache', 'Redis']],
  ['MemoryOptions', 'options/options.ts', ['`memory`']],
  ['OutageOptions', 'options/options.ts', ['`outage`']],
  ['AuditOptions', 'options/options.ts', ['`audit`']],
  ['RedisOptions', 'redis/clients/target.ts', ['`redis`']],
  ['WrapOptions', 'cache/wrap.ts', ['`wrap`']],
  ['InvalidateTarget', 'cache/target.ts', ['What to invalidate']],
] as const

/** The rows of several tables as one. */
const optionRows = (headings: readonly string[]): Map<string, string[]> => new Map(headings.flatMap((heading) => [...reference.options.rows(heading)]))

test('every error code has its row, with the class that carries it', () => {
  const rows = reference.errors.rows('Codes')
  // These two are abstract: no error is just one of them.
  const classes = Object.entries(errors).filter(([name]) => name !== 'TiercelError' && name !== 'RedisError')
  const codes = classes.map(([name, kind]) => [(Reflect.construct(kind, ['type', 'message']) as errors.TiercelError).code, `\`${name}\``])

  expect(named(rows)).toEqual(literals('errors/tiercel-error.ts', 'ErrorCode'))
  expect([...rows].map(([code, [kind]]) => [code, kind]).toSorted()).toEqual(codes.toSorted())
})

test('every reason for which a value cannot be kept, and for which Redis refuses, has its row', () => {
  expect(named(reference.errors.rows('Why a value cannot be kept'))).toEqual(literals('errors/uncacheable-value.ts', 'UncacheableReason'))
  expect(named(reference.errors.rows('Why Redis refused'))).toEqual(literals('errors/redis.ts', 'RefusalReason'))
})

test.each(optionTables)('every field of %s has its row, and no row is about anything else', (type, file, headings) => {
  expect(named(optionRows(headings))).toEqual(names(membersOf(file, type)))
})

test.each(optionTables.filter(([type]) => /^(Entry|Cache|Memory|Redis)/.test(type)))('the defaults in the table of %s are those its comments name', (type, file, headings) => {
  const rows = optionRows(headings)
  const said = membersOf(file, type).flatMap(({ name, comment }) => {
    const value = /Default (`[^`]+`|\d+(?: \w+)?)/.exec(comment)?.[1]
    return value === undefined ? [] : [[name, value]]
  })

  expect(said).not.toEqual([])
  expect(said.map(([name = '']) => [name, rows.get(name)?.[2]])).toEqual(said)
})

test('the options that createCache and calls know are those with a row', async () => {
  const known = async (refuse: () => unknown): Promise<string[]> => {
    const { message } = await new Promise<void>((resolve) => resolve(refuse() as void)).then(() => new Error('not refused'), (error: Error) => error)
    return (/It has: (.*)$/.exec(message)?.[1] ?? message).split(', ').toSorted()
  }
  const rows = (...headings: string[]): string[] => named(optionRows(headings))
  const cache = createCache({ redis: false })

  expect(await known(() => createCache({ nonsense: 1 } as object))).toEqual(rows('How a value is loaded and kept', 'The cache', 'Redis'))
  expect(await known(() => cache.get('key', { nonsense: 1 } as object))).toEqual(rows('How a value is loaded and kept', 'One call'))
  expect(await known(() => cache.namespace('any', { nonsense: 1 } as object))).toEqual(rows('How a value is loaded and kept'))
})

test('every event has its row, with all its fields, and its channel', () => {
  const rows = reference.events.rows('Events')
  const events = membersOf('observe/events.ts', 'CacheEvents')

  expect(named(rows)).toEqual(names(events))
  expect(named(reference.events.rows('Diagnostics channels'))).toEqual(names(events).map((name) => `tiercel:${name}`))
  for (const { name, members } of events) {
    const fields = members.map((field) => field.name).filter((field) => field !== 'namespace')
    expect(fields.filter((field) => !rows.get(name)?.at(-1)?.includes(`\`${field}\``)), `fields of ${name} that its row leaves out`).toEqual([])
  }
})

test('every counter of stats() and every field of health() has its row', () => {
  const counters = membersOf('observe/stats.ts', 'CacheStats').flatMap(({ name, members }) => (members.length > 0 ? names(members).map((part) => `${name}.${part}`) : name))

  expect(named(reference.events.rows('Counters'))).toEqual(counters.toSorted())
  expect(named(reference.events.rows('Health'))).toEqual(names(membersOf('cache/health.ts', 'CacheHealth')))
})

test('every figure to watch is one that stats() or health() has', () => {
  const watched = [...reference.metrics.section('What to watch').matchAll(/`(stats|health)\(\)\.([\w.]+)`/g)]
  const declared = { stats: source('observe/stats.ts'), health: source('cache/health.ts') }

  expect(watched.length).toBeGreaterThan(10)
  for (const [figure, of, path = ''] of watched) {
    for (const name of path.split('.')) expect(declared[of as keyof typeof declared], figure).toContain(`readonly ${name}:`)
  }
})

test('every environment variable has its row', () => {
  const variables = [...source('options/environment.ts').matchAll(/env, '([A-Z_]+)'/g)].map(([, name = '']) => name)
  const text = new Page('docs/Guides/configuration.md').section('The environment')

  expect(variables).not.toEqual([])
  expect(variables.filter((name) => !text.includes(`\`${name}\``))).toEqual([])
})

test('every public method of a cache is described under its name, with its signature', () => {
  for (const { name, signature } of membersOf('cache/cache.ts', 'Cache')) {
    // Whether a method is written with async is no business of its users.
    expect(reference.api.section(name), name).toContain(`\n\`${signature.replace(/^async /, '')}\`\n`)
  }

  const make = /export (function createCache.*) \{$/m.exec(source('cache/create-cache.ts'))?.[1]
  expect(reference.api.section('createCache')).toContain(`\n\`${make?.replace('function ', '')}\`\n`)
})

test('everything a loader can do with its context has its row', () => {
  const forOne = names(membersOf('flight/load-context.ts', 'LoadContext'))
  const forMany = names(membersOf('flight/batch.ts', 'BatchContext'))

  expect(named(reference.api.rows("The loader's context"))).toEqual([...new Set([...forOne, ...forMany])].toSorted())
})
