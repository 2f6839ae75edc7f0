import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { membersOf } from '../../../core/test/docs/declared.js'
import { root } from '../../../core/test/docs/pages.js'
import { Page } from '../../../core/test/docs/tables.js'
import * as realtime from '../../src/index.js'

const folder = 'docs/Reference'
const pages = new Map(
  readdirSync(join(root, folder))
    .filter((name) => name.startsWith('realtime'))
    .map((name) => [name, new Page(`${folder}/${name}`)]),
)

/** Everything that first cells of tables name: a row may be about several. */
function named(page: string, heading: string): string[] {
  const rows = pages.get(page)?.section(heading).split('\n').filter((line) => line.startsWith('| `')) ?? []
  const spans = rows.flatMap((row) => Array.from(row.split('|')[1]?.matchAll(/`([^`]+)`/g) ?? [], ([, span = '']) => span))
  return [...new Set(spans.map((span) => span.replace(/\(.*$/, '')))].toSorted()
}

const tables = [
  ['realtime.md', 'Options', [['backend/backend.ts', 'BackendOptions']]],
  ['realtime.md', 'Members of a backend', [['backend/backend.ts', 'Backend']]],
  ['realtime.md', 'Shutdown', [['shutdown/close-on-signals.ts', 'CloseOnSignalsOptions']]],
  ['realtime-storage.md', 'Calls', [['storage/interface.ts', 'StorageCalls'], ['storage/interface.ts', 'StorageBase'], ['storage/interface.ts', 'AsyncStorage']]],
  ['realtime-storage.md', 'Making one', [['storage/options.ts', 'StorageOptions']]],
  ['realtime-storage.md', 'WebSockets', [['storage/event-sockets.ts', 'EventSockets']]],
  ['realtime-queues.md', 'Options', [['queues/queue.ts', 'QueueOptions']]],
  ['realtime-queues.md', 'Methods', [['queues/queue.ts', 'Queue']]],
  ['realtime-presence.md', 'Options', [['presence/presence-service.ts', 'PresenceOptions']]],
  ['realtime-presence.md', 'Methods', [['presence/presence-service.ts', 'PresenceService']]],
  ['realtime-channels.md', 'Methods', [['channels/pub-sub.ts', 'PubSub']]],
  ['realtime-channels.md', 'Socket.IO', [['socket-io/connect-socket-io.ts', 'SocketIoOptions']]],
  ['realtime-commands.md', '`redisService`', [['redis-service/redis-service.ts', 'RedisService']]],
  ['realtime-commands.md', 'Query cache', [['query-cache/query-cache.ts', 'QueryCacheOptions'], ['query-cache/query-cache.ts', 'QueryCache']]],
  ['realtime-commands.md', 'Message cache', [['query-cache/message-cache.ts', 'MessageCacheOptions'], ['query-cache/message-cache.ts', 'MessageCache']]],
  ['realtime-sessions.md', '`StorageManager`', [['sessions/storage-manager.ts', 'StorageManagerOptions'], ['sessions/storage-manager.ts', 'StorageManager']]],
  ['realtime-sessions.md', 'The storage', [['sessions/live-sessions.ts', 'SessionStorage']]],
  ['realtime-sessions.md', 'Status', [['sessions/storage-manager.ts', 'StorageStatus']]],
  ['realtime-sessions.md', 'Chat sessions', [['sessions/chat-session-store.ts', 'ChatSessionStoreOptions'], ['sessions/chat-session-store.ts', 'ChatSessionStore']]],
  ['realtime-sessions.md', 'Sessions by socket', [['sessions/session-cache.ts', 'SessionCacheOptions'], ['sessions/session-cache.ts', 'SessionCache']]],
  ['realtime-sessions.md', '`express-session`', [['sessions/express-session-store.ts', 'ExpressSessionStoreOptions']]],
] as const

const membersOfAll = (declarations: readonly (readonly [string, string])[]) => declarations.flatMap(([file, name]) => membersOf(file, name, 'realtime'))
/** `ttl` and what it is made of is `ttl.sessions` and so on. */
const paths = (declarations: readonly (readonly [string, string])[]): string[] => [
  ...new Set(membersOfAll(declarations).flatMap(({ name, members }) => (name === 'ttl' && members.length > 0 ? members.map((part) => `${name}.${part.name}`) : [name]))),
]

test.each(tables)('%s: every member has its row under "%s", and no row is about anything else', (page, heading, declarations) => {
  expect(named(page, heading)).toEqual(paths(declarations).toSorted())
})

test.each(tables.filter(([, , declarations]) => declarations.some(([, name]) => name.endsWith('Options'))))('%s: the defaults under "%s" are those of the comments', (page, heading, declarations) => {
  const rows = pages.get(page)?.rows(heading)
  const said = membersOfAll(declarations.filter(([, name]) => name.endsWith('Options')))
    .flatMap(({ name, comment, members }) => [{ name, comment }, ...members.map((part) => ({ name: `${name}.${part.name}`, comment: part.comment }))])
    .flatMap(({ name, comment }) => {
      const value = /Default:? (`[^`]+`|[\d,]+)/.exec(comment)?.[1]
      return value === undefined ? [] : [[name, value]]
    })

  expect(said.map(([name = '', value = '']) => [name, rows?.get(name)?.[1]?.includes(value)])).toEqual(said.map(([name]) => [name, true]))
})

test('everything that is exported is named on one of the pages', () => {
  const text = [...pages.values()].flatMap((page) => page.headings.map((heading) => heading + page.section(heading))).join('\n')

  expect(Object.keys(realtime).filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
})
