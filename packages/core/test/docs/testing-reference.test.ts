import { expect, test } from 'vitest'
import * as testing from '../../src/testing/index.js'
import { membersOf, source } from './declared.js'
import { Page } from './tables.js'

const page = new Page('docs/Reference/testing.md')

/** What users can call, without what only a language construct does. */
const publicMembers = (file: string, name: string): string[] => membersOf(`testing/${file}`, name).map((member) => member.name).filter((member) => !member.includes('Symbol.'))

test.each([
  ['A proxy', [['proxy/faults.ts', 'Faults'], ['proxy/fault-proxy.ts', 'FaultProxy']]],
  ['A connection of a proxy', [['proxy/proxy-connection.ts', 'ProxyConnection']]],
  ['Counts of a proxy', [['proxy/fault-settings.ts', 'ProxyCounts']]],
  ['A Redis server', [['redis/redis-server.ts', 'RedisServerOptions'], ['redis/redis-server.ts', 'RedisServer']]],
  ['Certificates', [['redis/certificates.ts', 'CertificateOptions']]],
  ['A cluster', [['redis/redis-cluster.ts', 'RedisClusterOptions'], ['redis/redis-cluster.ts', 'RedisCluster']]],
  ['A fake clock', [['clock/fake-clock.ts', 'FakeClockOptions'], ['clock/fake-clock.ts', 'FakeClock']]],
  ['The consistency checker', [['consistency/checker.ts', 'ConsistencyOptions'], ['consistency/checker.ts', 'ConsistencyChecker']]],
  ['A recorder', [['consistency/recorder.ts', 'ConsistencyRecorder']]],
  ['The report', [['consistency/report.ts', 'ConsistencyReport']]],
] as const)('every member under "%s" has its row, and no row is about anything else', (heading, declarations) => {
  // What is taken from another section, or is for people only.
  const elsewhere: Readonly<Record<string, readonly string[]>> = { 'A connection of a proxy': ['reset', 'heal'], 'The report': ['toString'], 'A cluster': [] }
  const members = new Set(declarations.flatMap(([file, name]) => publicMembers(file, name)).filter((name) => !elsewhere[heading]?.includes(name)))
  if (heading === 'A cluster') for (const option of ['executable', 'args']) members.add(option)

  expect([...page.rows(heading).keys()].toSorted()).toEqual([...members].toSorted())
})

test('every kind of violation has its row', () => {
  const kinds = /type ViolationKind = (.*)$/m.exec(source('testing/consistency/report.ts'))?.[1] ?? ''

  expect([...page.rows('Violations').keys()]).toEqual([...kinds.matchAll(/'([^']+)'/g)].map(([, kind]) => kind))
})

test('everything that is exported is named', () => {
  const text = page.headings.map((heading) => page.section(heading)).join('\n')
  const functions = Object.entries(testing).filter(([name]) => !name.endsWith('Error')).map(([name]) => name)

  expect(functions).not.toEqual([])
  expect(functions.filter((name) => !text.includes(`\`${name}(`))).toEqual([])
})

test('the numbers are those of the sources', () => {
  expect(source('testing/proxy/lane.ts')).toContain('MOST_WAITING = 16 * 2 ** 20')
  expect(page.section('A proxy')).toContain('16 MiB')
  expect(source('testing/consistency/recorder.ts')).toContain('SPAN_MS = 5\n')
  expect(page.section('The report')).toContain('5 ms')
  expect(source('testing/consistency/recorder.ts')).toContain('MOST_EVENTS = 200_000')
  expect(page.section('A recorder')).toContain('200,000 events')
  expect(source('testing/consistency/steps.ts')).toContain('MOST_STEPS = 4096')
  expect(page.section('The report')).toContain('2,048 changes')
})
