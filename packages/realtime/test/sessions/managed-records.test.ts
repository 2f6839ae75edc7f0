import { RedisUnavailableError } from '@tiercel/core'
import type { OwnLink } from '@tiercel/core/connection'
import { expect, it } from 'vitest'
import type { Awaitable, Keyspace, Value } from '../../src/keyspace/keyspace.js'
import { MemoryKeyspace } from '../../src/keyspace/memory-keyspace.js'
import type { Operation } from '../../src/keyspace/operation.js'
import { ManagedRecords } from '../../src/sessions/managed-records.js'
import type { RecordConflict } from '../../src/sessions/migration.js'
import { mergeOperation, writeOperation } from '../../src/sessions/record-operations.js'
import { SessionRecords, type SessionRecord } from '../../src/sessions/session-records.js'

const settings = { prefix: '', kind: 'live', ttlMs: 60_000, rememberGoneMs: 60_000, companions: [] }
const away = () => Promise.reject(new RedisUnavailableError('away'))

/** A Redis of which the test says when it answers, and what. */
function stage() {
  const memory = new MemoryKeyspace()
  const held = {
    /** Takes the place of an operation, if it gives anything. */
    instead: (_operation: Operation, _execute: () => Value): Awaitable<Value> | undefined => undefined,
  }
  const keyspace: Keyspace = {
    send: (command) => Promise.resolve(memory.send(command)),
    run: (operation, keys, args) => {
      const execute = () => memory.run(operation, keys, args)
      return held.instead(operation, execute) ?? Promise.resolve(execute())
    },
    removeMatching: (pattern) => memory.removeMatching(pattern),
  }
  const redis = new SessionRecords(keyspace, settings)
  const link = {
    state: 'up',
    deadlineMs: 1000,
    send: async (command: readonly string[]) => memory.send(command),
    masters: async () => [{ send: async () => 'run_id:1' }],
  } as unknown as OwnLink
  const conflicts: RecordConflict[] = []
  const switches: string[] = []
  const records = new ManagedRecords(link, redis, new SessionRecords(new MemoryKeyspace(), settings), 10, {
    onMode: (mode) => switches.push(mode),
    onConflict: (conflict) => conflicts.push(conflict),
    onMigrated: () => {},
  })
  const field = async (from: { read(id: string): Awaitable<SessionRecord | undefined> }, id: string, name: string) => new Map((await from.read(id))?.fields).get(`.${name}`)
  const set = (id: string, name: string, value: string, mode: 'create' | 'change' = 'change') => records.write(id, mode, { set: [`.${name}`, value], gone: [] })
  return { held, redis, records, conflicts, switches, field, set }
}

it('what Redis has done after another call has found it gone is done in memory too, and nothing of it is lost', async () => {
  const { held, redis, records, conflicts, field, set } = stage()
  await records.recover()
  await set('s', 'a', '0', 'create')
  let answer = () => {}
  held.instead = (operation, execute) => {
    if (operation !== writeOperation) return undefined
    held.instead = (another) => (another === writeOperation ? away() : undefined)
    const reply = execute()
    return new Promise((resolve) => (answer = () => resolve(reply)))
  }
  const slow = set('s', 'a', '1')
  await set('s', 'b', '1')
  expect(records.mode).toBe('memory')
  answer()
  await slow
  expect([await field(records, 's', 'a'), await field(records, 's', 'b')]).toEqual(['1', '1'])
  held.instead = () => undefined
  await records.recover()
  expect([records.mode, await field(redis, 's', 'a'), await field(redis, 's', 'b'), conflicts]).toEqual(['redis', '1', '1', []])
  records.close()
})

it('what Redis has done and did not confirm is one of ours', async () => {
  const { held, redis, records, conflicts, field, set } = stage()
  await records.recover()
  await set('s', 'n', '0', 'create')
  held.instead = (operation, execute) => {
    if (operation !== writeOperation) return undefined
    execute()
    return away()
  }
  await set('s', 'n', '1')
  expect([await field(redis, 's', 'n'), records.mode]).toEqual(['1', 'memory'])
  await set('s', 'n', '2')
  held.instead = () => undefined
  await records.recover()
  expect([await field(redis, 's', 'n'), conflicts]).toEqual(['2', []])
  records.close()
})

it('sessions that change faster than they are told make calls wait in the end, and the switch comes', async () => {
  const { held, redis, records, field, set } = stage()
  await set('s', 'n', '0', 'create')
  let n = 0
  const changes: Promise<unknown>[] = []
  held.instead = (operation) => {
    if (operation === mergeOperation && n < 1000) changes.push(set('s', 'n', String(++n)))
    return undefined
  }
  await records.recover()
  expect(records.mode).toBe('redis')
  expect(n).toBeLessThan(20)
  await Promise.all(changes)
  expect(await field(redis, 's', 'n')).toBe(String(n))
  records.close()
})

it('a migration that fails is tried again by the next, and calls do not wait for it any more', async () => {
  const { held, redis, records, field, set } = stage()
  await set('s', 'n', '0', 'create')
  let tries = 0
  held.instead = (operation) => {
    if (operation !== mergeOperation) return undefined
    void set('s', 'n', String(++tries))
    return tries > 5 ? away() : undefined
  }
  await records.recover()
  expect([records.mode, tries]).toEqual(['memory', 6])
  held.instead = () => undefined
  await set('s', 'n', 'last')
  await records.recover()
  expect([records.mode, await field(redis, 's', 'n')]).toEqual(['redis', 'last'])
  records.close()
})

it('what is closed in the middle of a migration does not go to Redis any more', async () => {
  const { held, records, switches, set } = stage()
  await set('s', 'n', '0', 'create')
  held.instead = (operation) => {
    if (operation === mergeOperation) records.close()
    return undefined
  }
  await records.recover()
  expect([records.mode, switches]).toEqual(['memory', []])
})
