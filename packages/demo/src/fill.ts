import type { Database } from './database.js'
import type { City } from './world.js'

// One statement for many rows: column by column, which Postgres takes ten times faster than row by row.
const batch = 10_000

/** Creates the table and its indexes and puts the cities in. */
export async function fill(database: Database, cities: City[]): Promise<void> {
  await database.query(`create table cities (
    id int not null, name text not null, country text not null, population int not null,
    latitude float8 not null, longitude float8 not null)`)
  for (let start = 0; start < cities.length; start += batch) {
    const rows = cities.slice(start, start + batch)
    await database.query(
      'insert into cities select * from unnest($1::int[], $2::text[], $3::text[], $4::int[], $5::float8[], $6::float8[])',
      [
        rows.map((row) => row.id),
        rows.map((row) => row.name),
        rows.map((row) => row.country),
        rows.map((row) => row.population),
        rows.map((row) => row.latitude),
        rows.map((row) => row.longitude),
      ],
    )
  }
  // Indexes after the rows: built once from sorted data instead of kept in order by each insert.
  await database.query('alter table cities add primary key (id)')
  await database.query('create index on cities (country, population desc)')
  await database.query('analyze cities')
}
