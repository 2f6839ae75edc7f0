/** What snippets may take by `setup=name`. Each module of snippets gets these afresh, so counts begin at 0. */

/** A server that answers as providers of language models do. */
export { startUpstream as startProvider } from '../../../ai/test/llm/upstream/index.js'

export interface User {
  id: string
  name: string
  room: string
}

/** A table of users in memory that behaves like a database and counts what it is asked. */
export const db = {
  /** Queries so far, writes included. */
  queries: 0,
  /** When true, every query fails. */
  down: false,

  async user(id: string): Promise<User | undefined> {
    await query()
    const row = table.get(id)
    return row && { ...row }
  },

  /** The users that exist of those asked for, by id. */
  async users(ids: readonly string[]): Promise<Map<string, User>> {
    await query()
    return new Map(ids.flatMap((id) => [...table].filter(([key]) => key === id).map(([key, row]) => [key, { ...row }] as const)))
  },

  async usersIn(room: string): Promise<User[]> {
    await query()
    return [...table.values()].filter((row) => row.room === room).map((row) => ({ ...row }))
  },

  async rename(id: string, name: string): Promise<void> {
    await query()
    const row = table.get(id)
    if (row) row.name = name
  },
}

const table = new Map<string, User>(
  [
    { id: '1', name: 'Ada', room: 'engines' },
    { id: '2', name: 'Grace', room: 'compilers' },
    { id: '3', name: 'Charles', room: 'engines' },
  ].map((row) => [row.id, row]),
)

async function query(): Promise<void> {
  db.queries++
  // A database never answers in the same turn, so callers that come together do overlap.
  await new Promise((resolve) => setImmediate(resolve))
  if (db.down) throw new Error('the database is down')
}
