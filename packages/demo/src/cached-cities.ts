import type { Cache } from '@tiercel/core'
import { CacheConfig, Cached, Invalidates } from '@tiercel/decorators'
import type { Cities } from './cities.js'
import type { City } from './world.js'

/**
 * The same cities with the cache in front. A country is a room: every page that shows something of it is in the room,
 * so that whoever changes a city need not know which pages there are.
 */
@CacheConfig({ cache: (self: CachedCities) => self.cache })
export class CachedCities implements Cities {
  constructor(
    readonly cache: Cache,
    readonly cities: Cities,
  ) {}

  // Which room a city is in is known only once it is loaded. One that does not exist yet is forgotten soon.
  @Cached({ resultRoom: (city: City | null) => city?.country, resultTtl: (city: City | null) => (city === null ? '10s' : undefined) })
  city(id: number) {
    return this.cities.city(id)
  }

  @Cached({ room: (code: string) => code })
  country(code: string) {
    return this.cities.country(code)
  }

  @Cached({ room: (code: string) => code })
  largest(code: string, top: number) {
    return this.cities.largest(code, top)
  }

  // A search crosses countries, so it is tagged with each city it found. One that a city would only now be found by
  // is not among those an update of the city drops: its short time to live is what brings the city in.
  @Cached({ ttl: '1m', resultTags: (found: City[]) => found.map(({ id }) => `city:${id}`) })
  search(text: string) {
    return this.cities.search(text)
  }

  // First the database, then the cache: the other way round, a read in between would bring the old value back.
  @Invalidates({ resultRoom: (city: City | null) => city?.country, tags: (id: number) => [`city:${id}`] })
  setPopulation(id: number, population: number) {
    return this.cities.setPopulation(id, population)
  }
}
