import { RedisTimeoutError } from '@tiercel/core'
import type { RedisLink } from '@tiercel/core/connection'
import { beforeEach, expect, it } from 'vitest'
import type { Keyspace } from '../../src/keyspace/keyspace.js'
import { MemoryKeyspace } from '../../src/keyspace/memory-keyspace.js'
import { Migration, type RecordConflict } from '../../src/sessions/migration.js'
import { mergeOperation } from '../../src/sessions/record-operations.js'
import { RedisTime } from '../../src/sessions/redis-time.js'
import { SeenSessions } from '../../src/sessions/seen-sessions.js'
import { SessionRecords, type SessionRecord } from '../../src/sessions/session-records.js'

const settings = { prefix: '', kind: 'live', ttlMs: 60_000, rememberGoneMs: 60_000, companions: [] }
const time = new RedisTime({ deadlineMs: 1000 } as RedisLink)

let there = new SessionRecords(new MemoryKeyspace(), settings)
let seen = new SeenSessions(new SessionRecords(new MemoryKeyspace(), settings), 10)
let conflicts: RecordConflict[] = []
/** What becomes of the next ones that tell of a session. */
let fates: ('lost on the way' | 'reply lost')[] = []

beforeEach(() => {
  const memory = new MemoryKeyspace()
  const failing: Keyspace = {
    send: (command) => memory.send(command),
    run: (operation, keys, args) => {
      const fate = operation === mergeOperation ? fates.shift() : undefined
      const reply = fate === 'lost on the way' ? null : memory.run(operation, keys, args)
      return fate === undefined ? reply : Promise.reject(new RedisTimeoutError(fate))
    },
    removeMatching: (pattern) => memory.removeMatching(pattern),
  }
  there = new SessionRecords(failing, settings)
  seen = new SeenSessions(new SessionRecords(new MemoryKeyspace(), settings), 10)
  conflicts = []
  fates = []
})

const write = (to: SessionRecords, id: string, n: number) => to.write(id, 'create', { set: ['.n', String(n)], gone: [] }, time.moment()) as SessionRecord
const valueOf = (id: string) => new Map((there.read(id) as SessionRecord | undefined)?.fields).get('.n')
const change = (id: string, n: number) => {
  write(seen.memory, id, n)
  seen.changed(id)
}
const migrate = () => new Migration(seen, there, time, (conflict) => conflicts.push(conflict)).tellAll()

it('a migration takes what it has told before, and was not told of, for its own', async () => {
  seen.adopt('s', write(there, 's', 0))
  change('s', 1)
  fates = ['reply lost']
  await expect(migrate()).rejects.toThrow('reply lost')
  expect(valueOf('s')).toBe('1')
  change('s', 2)
  await migrate()
  expect([valueOf('s'), conflicts, seen.isAllTold]).toEqual(['2', [], true])
})

it('a migration knows what it found at first, however often it fails on the way', async () => {
  seen.adopt('s', write(there, 's', 0))
  for (let n = 1; n <= 20; n++) {
    change('s', n)
    fates = ['lost on the way']
    await expect(migrate()).rejects.toThrow('lost on the way')
  }
  await migrate()
  expect([valueOf('s'), conflicts]).toEqual(['20', []])
})

it('a migration reports what others have changed, and tells of what is only put back only if it is gone', async () => {
  for (const id of ['changed', 'gone']) seen.adopt(id, write(there, id, 0))
  await there.remove('gone')
  await (there.keyspace.send(['DEL', there.companion('gone', 'gone')]) as unknown)
  write(there, 'changed', 1)
  seen.giveAllBack()
  await migrate()
  expect([valueOf('changed'), valueOf('gone'), conflicts]).toEqual(['1', '0', []])
  write(there, 'changed', 2)
  change('changed', 3)
  await migrate()
  expect([valueOf('changed'), conflicts.map(({ id, kept }) => [id, kept])]).toEqual(['3', [['changed', 'memory']]])
})

it('what was changed here while Redis was told of something else stays, and is told next', async () => {
  seen.adopt('s', write(there, 's', 0))
  change('s', 1)
  const telling = migrate()
  change('s', 2)
  seen.adopt('s', there.read('s') as SessionRecord)
  await telling
  expect([new Map((seen.memory.read('s') as SessionRecord).fields).get('.n'), seen.isAllTold]).toEqual(['2', false])
  await migrate()
  expect([valueOf('s'), seen.isAllTold, conflicts]).toEqual(['2', true, []])
})

it('what was not told is kept beyond the others, but not without an end', async () => {
  for (let n = 0; n < 10; n++) seen.adopt(`seen${n}`, write(there, `seen${n}`, n))
  change('changed', 1)
  for (let n = 10; n < 30; n++) seen.adopt(`seen${n}`, write(there, `seen${n}`, n))
  expect([seen.size, seen.untold]).toEqual([10, ['changed']])
  for (let n = 0; n < 100_000; n++) seen.changed(`x${n}`)
  expect([seen.untold.length, seen.untold.includes('changed'), seen.size]).toEqual([100_000, false, 0])
})
