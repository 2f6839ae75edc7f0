import type { ChildProcess } from 'node:child_process'
import type { Database } from './database.js'

/** What a process asks the one that has the database, over the channel between parent and child. */
interface Question {
  query: number
  sql: string
  parameters: unknown[] | undefined
}

interface Reply {
  query: number
  /** None when the query failed. */
  rows?: object[]
}

/** Answers what a child process asks of the database of this one. */
export function shareDatabase(database: Pick<Database, 'query'>, child: ChildProcess): void {
  const answer = async ({ query, sql, parameters }: Question): Promise<void> => {
    const reply: Reply = await database.query(sql, parameters).then((rows) => ({ query, rows }), () => ({ query }))
    // Who is gone needs no answer; with a callback, that is not an event that would end this process.
    if (child.connected) child.send(reply, () => {})
  }
  child.on('message', (message: object) => {
    if ('query' in message) void answer(message as Question)
  })
}

/** The database of the parent process, from within a child. */
export class ParentDatabase implements Pick<Database, 'name' | 'query'> {
  readonly name = 'the database of the parent process'
  readonly #waiting = new Map<number, { resolve: (rows: object[]) => void; reject: (error: Error) => void }>()
  #asked = 0

  constructor() {
    process.on('message', ({ query, rows }: Reply) => {
      const asker = this.#waiting.get(query)
      this.#waiting.delete(query)
      if (rows) asker?.resolve(rows)
      else asker?.reject(new Error('The query failed'))
    })
    process.once('disconnect', () => {
      for (const { reject } of this.#waiting.values()) reject(gone())
      this.#waiting.clear()
    })
  }

  query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    return new Promise<object[]>((resolve, reject) => {
      if (!process.connected) return reject(gone())
      const question: Question = { query: (this.#asked += 1), sql, parameters }
      this.#waiting.set(question.query, { resolve, reject })
      process.send?.(question, undefined, undefined, (error) => error && reject(error))
    }) as Promise<Row[]>
  }
}

function gone(): Error {
  return new Error('The process with the database is gone')
}
