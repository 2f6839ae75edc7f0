import { expect, it, test } from 'vitest'
import { cacheOptionsFromEnv, createCache } from '@tiercel/core'
import { at, flag } from '../../src/codec/entry-layout.js'
import { encodeMessage } from '../../src/coherence/index.js'
import { encodeName, RedisNames } from '../../src/redis/names.js'
import { aclRules } from '../redis/server/acl.js'
import { describeWithRedis, startRedis } from '../redis/server/index.js'
import { source } from './declared.js'
import { Page } from './tables.js'

const keys = new Page('docs/Reference/redis-keys.md')
const format = new Page('docs/Reference/entry-format.md')
const states = new Page('docs/Reference/states.md')

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, day: 86_400_000, days: 86_400_000, MiB: 2 ** 20 }

/** `'30 days'` in milliseconds, `'1 MiB'` in bytes, `'10,000'` as it is. */
function amount(cell: string): number {
  const [, digits = '', unit = ''] = /^([\d,]+) ?([a-zA-Z]*)$/.exec(cell) ?? []
  return Number(digits.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN)
}

/** A constant as a source file has it: a number, or a product of numbers. */
function constant(file: string, name: string): number {
  const written = new RegExp(`const ${name} = ([\\d_ *]+)$`, 'm').exec(source(file))?.[1]
  if (written === undefined) throw new Error(`${file} has no constant ${name}`)
  return written.split('*').reduce((product, factor) => product * Number(factor.replaceAll('_', '').trim()), 1)
}

const numbers: readonly (readonly [row: string, file: string, name: string])[] = [
  ['lease', 'redis/lease-time.ts', 'LEASE_MS'],
  ["wait for another's load", 'flight/claim.ts', 'LONGEST_WAIT_MS'],
  ['unattended load', 'flight/flight.ts', 'UNATTENDED_MS'],
  ['token', 'redis/token-names.ts', 'TOKEN_TTL_MS'],
  ['sequence', 'redis/bus.ts', 'SEQUENCE_TTL_MS'],
  ['rest', 'redis/heartbeat.ts', 'REST_AFTER_MS'],
  ['failures of an outage', 'redis/breaker.ts', 'FAILURES_OF_AN_OUTAGE'],
  ['look for a connection', 'redis/breaker.ts', 'LOOK_MS'],
  ['believed', 'redis/breaker.ts', 'BELIEVED_MS'],
  ['first retry', 'redis/breaker.ts', 'FIRST_RETRY_MS'],
  ['longest retry', 'redis/breaker.ts', 'LONGEST_RETRY_MS'],
  ['recovery step', 'redis/remote.ts', 'RECOVERY_TIMEOUT_MS'],
  ['first reconnection', 'redis/clients/backoff.ts', 'FIRST_MS'],
  ['longest reconnection', 'redis/clients/backoff.ts', 'LONGEST_MS'],
  ['steady connection', 'redis/clients/keeper.ts', 'STEADY_MS'],
  ['silent connection', 'redis/clients/line.ts', 'STALLED_MS'],
  ['joined attempt', 'redis/clients/keeper.ts', 'JOINED_AFTER_MS'],
  ['patience with a node', 'redis/clients/cluster.ts', 'PATIENCE_WITH_A_NODE_MS'],
  ['silence in a recovery', 'redis/clients/line.ts', 'SILENT_MS'],
  ['unanswered commands', 'redis/clients/line.ts', 'MOST_UNANSWERED'],
  ['redirections', 'redis/clients/cluster.ts', 'MOST_REDIRECTS'],
  ['audited hits', 'flight/audit.ts', 'MOST_FOLLOWED'],
  ['journal', 'coherence/journal.ts', 'MOST_ITEMS'],
  ['keys of one MGET', 'redis/batch-reader.ts', 'MOST_KEYS_IN_ONE_COMMAND'],
  ['names of one script', 'redis/invalidator.ts', 'MOST_NAMES_IN_ONE_SCRIPT'],
  ['names of one SCAN', 'redis/invalidator.ts', 'NAMES_A_SCAN_LOOKS_AT'],
  ['message', 'coherence/change.ts', 'LONGEST_MESSAGE'],
]

/** What stands in the middle of an expression. */
const inPlace: readonly (readonly [row: string, file: string, expression: string])[] = [
  ['lease renewal', 'redis/entries.ts', 'setInterval(renew, LEASE_MS / 3)'],
  ['heartbeat', 'redis/remote.ts', 'Math.max(10, Math.min(1000, settings.maxStalenessMs / 3))'],
]

test('every number in the table of states is the one in the sources', () => {
  const rows = states.rows('Numbers')

  expect([...rows.keys()].toSorted()).toEqual([...numbers, ...inPlace].map(([row]) => row).toSorted())
  expect(numbers.map(([row]) => [row, amount(rows.get(row)?.[0] ?? '')])).toEqual(numbers.map(([row, file, name]) => [row, constant(file, name)]))
  expect(inPlace.filter(([, file, expression]) => !source(file).includes(expression))).toEqual([])
  const first = constant('flight/claim.ts', 'FIRST_PAUSE_MS')
  expect(states.section('One load for all')).toContain(`after ${first} to ${3 * Number(first)} ms`)
  expect(states.section('One load for all')).toContain(`every ${3 * Number(constant('flight/claim.ts', 'LONGEST_PAUSE_MS'))} ms`)
})

test('every state has its row', () => {
  const union = /type RedisState = (.*)$/m.exec(source('redis/breaker.ts'))?.[1] ?? ''

  expect([...states.rows('The four states').keys()]).toEqual([...union.matchAll(/'(\w+)'/g)].map(([, name]) => name))
})

test('the keys in the table are those that Redis is given, and no others are', () => {
  const names = new RedisNames('app:')
  const entry = names.entry('shop', 'user:1')
  const tokens = ['g', 'tusers', 'rlobby'].map((label) => names.token(`shop\0${label}`))
  const methods = [...source('redis/names.ts').matchAll(/^ {2}(\w+)\(.*\): string \{$/gm)].map(([, name]) => name)

  expect([...keys.rows('Keys').keys()]).toEqual([entry, names.lease(entry), ...tokens, names.busSequence('shop'), names.run('shop')])
  expect(methods).toEqual(['entry', 'lease', 'keysBeginning', 'token', 'busSequence', 'busChannel', 'run'])
  expect(keys.section('The channel')).toContain(`\`${names.busChannel('shop')}\``)
  expect(keys.section('Keys')).toContain(`\`${names.entry('shop:carts', '').split('{')[0]}\``)
})

test('names are encoded as the page shows', () => {
  const section = keys.section('How names are encoded')

  expect(section).toContain(`\`a{b}\` is \`${encodeName('a{b}')}\``)
  expect(section).toContain(`tag \`@home\` is \`${new RedisNames('').token('shop\0t@home').split(':1:')[1]}\``)
  expect(encodeName('\u0000\u001f\u007f')).toBe('%00%1F%7F')
  expect(encodeName('a'.repeat(200))).toBe('a'.repeat(200))
  expect(encodeName('a'.repeat(201))).toMatch(/^a{100}%#[\w-]{43}$/)
})

test('a message looks as the page shows', () => {
  const [number = '', ...rest] = (/```text\n(.*)\n```/.exec(keys.section('The channel'))?.[1] ?? '').split('|')
  const shown = rest.join('|')
  const [sender] = JSON.parse(shown) as [string]

  expect(number).toMatch(/^\d+$/)
  expect(encodeMessage({ sender, change: { mode: 'invalidate', path: 'shop', keys: ['user:1'], labels: ['tusers'], pattern: undefined } })).toBe(shown)
})

test('the fields, flags and refusals of an entry are those of the layout', () => {
  const reasons = /type CorruptReason = (.*)$/m.exec(source('codec/entry-header.ts'))?.[1] ?? ''
  const offsets = [...format.rows('Layout')].map(([field, [offset]]) => [field, Number(offset)])
  const bits = [...format.rows('Flags')].map(([name, [bit]]) => [name, Number(bit)])

  expect(Object.fromEntries(offsets)).toEqual(at)
  expect(Object.fromEntries(bits)).toEqual(flag)
  expect([...format.rows('What is refused').keys()].toSorted()).toEqual([...reasons.matchAll(/'(\w+)'/g)].map(([, name]) => name).toSorted())
})

test('each field of an entry ends where the next one begins', () => {
  const fields = [...format.rows('Layout').values()].map(([offset, bytes]) => [Number(offset), Number(bytes)] as const)

  expect(fields.slice(0, -1).map(([offset, bytes]) => offset + bytes)).toEqual(fields.slice(1).map(([offset]) => offset))
})

describeWithRedis('the ACL that the page gives', () => {
  it('is enough for everything a cache does, and nothing in it is too much', async () => {
    const server = await startRedis()
    await server.cli('ACL', 'SETUSER', 'cache', ...aclRules)
    await server.cli('CONFIG', 'RESETSTAT')
    const redis = server.url.replace('redis://', 'redis://cache:password@')
    const cache = createCache({ ...cacheOptionsFromEnv({ REDIS_COMMAND_TIMEOUT: '10000' }), redis, prefix: 'app:', grace: '1h' })
    const errors: unknown[] = []
    cache.on('error', ({ error }) => errors.push(error))
    try {
      await cache.ready()
      await cache.getOrSet('user:1', () => 1, { tags: ['users'], room: 'lobby' })
      await cache.getOrSet('user:2', (ctx) => {
        ctx.tags('late')
        return 2
      })
      await cache.setMany([['a', 1], ['b', 2]])
      await cache.getMany(['a', 'b'], { memory: false })
      await cache.touch('a')
      await cache.expire({ tag: 'users', key: 'a' })
      await cache.invalidate({ room: 'lobby', pattern: 'u*' })

      expect(errors).toEqual([])
      expect(cache.getConnectionStatus()).toBe('connected')
      const stats = String(await server.cli('INFO', 'commandstats'))
      const used = new Set(Array.from(stats.matchAll(/cmdstat_([\w|]+):calls=[1-9]/g), ([, command = '']) => command))
      expect(aclRules.filter((word) => word.startsWith('+') && !used.has(word.slice(1)))).toEqual([])
    } finally {
      await cache.close()
      await server.stop()
    }
  })
})
