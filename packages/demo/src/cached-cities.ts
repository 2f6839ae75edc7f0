import type { Cache } from '@tiercel/core'
import type { Cities } from './cities.js'

/**
 * The same cities with the cache in front. A country is a room: every page that shows something of it is in the room,
 * so that whoever changes a city need not know which pages there are.
 */
export function cachedCities(cache: Cache, cities: Cities): Cities {
  return {
    city: (id) =>
      cache.getOrSet(`city:${id}`, async (ctx) => {
        const city = await cities.city(id)
        // Which room a city is in is known only once it is loaded. One that does not exist yet is forgotten soon.
        if (city) ctx.room(city.country)
        else ctx.ttl('10s')
        return city
      }),

    country: (code) => cache.getOrSet(`country:${code}`, () => cities.country(code), { room: code }),

    largest: (code, top) => cache.getOrSet(`largest:${code}:${top}`, () => cities.largest(code, top), { room: code }),

    // A search crosses countries, so it is tagged with each city it found. One that a city would only now be found by
    // is not among those an update of the city drops: its short time to live is what brings the city in.
    search: (text) =>
      cache.getOrSet(
        `search:${text}`,
        async (ctx) => {
          const found = await cities.search(text)
          ctx.tags(...found.map(({ id }) => `city:${id}`))
          return found
        },
        { ttl: '1m' },
      ),

    async setPopulation(id, population) {
      const city = await cities.setPopulation(id, population)
      // First the database, then the cache: the other way round, a read in between would bring the old value back.
      if (city) await cache.invalidate({ room: city.country, tag: `city:${id}` })
      return city
    },
  }
}
