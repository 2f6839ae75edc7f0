import type { Database } from './database.js'

/** Stands in front of the database: counts what it is asked, and can make it wait or fail for as long as a show needs. */
export class WatchedDatabase implements Pick<Database, 'name' | 'query'> {
  /** How often the database was asked, refused queries included. */
  queries = 0
  /** While true, every query fails as it does when the server is gone. */
  down = false
  #gate: Promise<void> | undefined
  readonly #database: Pick<Database, 'name' | 'query'>

  constructor(database: Pick<Database, 'name' | 'query'>) {
    this.#database = database
  }

  get name(): string {
    return this.#database.name
  }

  async query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]> {
    this.queries += 1
    await this.#gate
    if (this.down) throw new DatabaseDownError()
    return this.#database.query<Row>(sql, parameters)
  }

  /** Lets no query through until the returned function is called. */
  hold(): () => void {
    let open = (): void => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    return () => {
      this.#gate = undefined
      open()
    }
  }
}

class DatabaseDownError extends Error {
  override readonly name = 'DatabaseDownError'

  constructor() {
    super('The database does not answer')
  }
}
