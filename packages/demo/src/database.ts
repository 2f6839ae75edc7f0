import { randomBytes } from 'node:crypto'

/** What the demo asks of a database. PGlite and `pg` both fit. */
export interface Database {
  /** What it is, for people: a name and a version. */
  readonly name: string
  query<Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** The Postgres at `url`; without one, a Postgres inside this process that is empty at each start. */
export async function openDatabase(url: string | undefined): Promise<Database> {
  return url ? openServer(url) : openInProcess()
}

async function openInProcess(): Promise<Database> {
  const [{ PGlite }, { dataDir }] = await Promise.all([import('@electric-sql/pglite'), import('@electric-sql/pglite-prepopulatedfs')])
  // As its own initdb would leave it, which takes several seconds.
  const postgres = await PGlite.create({ loadDataDir: await dataDir() })
  const query = async <Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]> =>
    (await postgres.query<Row>(sql, parameters)).rows
  return { name: `PGlite, ${await version(query)} in this process`, query, close: () => postgres.close() }
}

async function openServer(connectionString: string): Promise<Database> {
  const { Pool } = await import('pg')
  // A schema of its own, so that whatever else lives in that database is neither seen nor touched.
  const schema = `tiercel_demo_${randomBytes(4).toString('hex')}`
  const pool = new Pool({ connectionString, options: `-c search_path=${schema}` })
  // Without a listener a connection that breaks while idle would end the process; the next query reports it anyway.
  pool.on('error', () => {})
  const query = async <Row extends object>(sql: string, parameters?: unknown[]): Promise<Row[]> =>
    (await pool.query<Row>(sql, parameters)).rows
  try {
    await query(`create schema ${schema}`)
    const name = `${await version(query)} at DATABASE_URL`
    return {
      name,
      query,
      async close() {
        try {
          await query(`drop schema ${schema} cascade`)
        } finally {
          await pool.end()
        }
      },
    }
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function version(query: Database['query']): Promise<string> {
  const [row] = await query<{ server_version: string }>('show server_version')
  return `PostgreSQL ${row?.server_version.split(' ')[0]}`
}
