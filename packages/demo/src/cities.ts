import type { Database } from './database.js'
import type { City } from './world.js'

/** A country, counted up from its cities. */
export interface Country {
  country: string
  cities: number
  population: number
  medianPopulation: number
}

/** What the service can be asked. One implementation reads the database, one puts the cache in front of it. */
export interface Cities {
  city(id: number): Promise<City | null>
  country(code: string): Promise<Country | null>
  largest(code: string, top: number): Promise<City[]>
  search(text: string): Promise<City[]>
  setPopulation(id: number, population: number): Promise<City | null>
}

/** The cities, straight from the database: one query per call. */
export function citiesIn(database: Pick<Database, 'query'>): Cities {
  return {
    async city(id) {
      const [city] = await database.query<City>('select * from cities where id = $1', [id])
      return city ?? null
    },

    async country(code) {
      const [country] = await database.query<Country>(
        `select country, count(*)::int as cities, sum(population)::float8 as population,
           percentile_cont(0.5) within group (order by population) as "medianPopulation"
         from cities where country = $1 group by country`,
        [code],
      )
      return country ?? null
    },

    largest: (code, top) =>
      database.query<City>('select * from cities where country = $1 order by population desc, id limit $2', [code, top]),

    search: (text) =>
      database.query<City>(
        'select * from cities where position(lower($1) in lower(name)) > 0 order by population desc, id limit 20',
        [text],
      ),

    async setPopulation(id, population) {
      const [city] = await database.query<City>('update cities set population = $2 where id = $1 returning *', [id, population])
      return city ?? null
    },
  }
}
