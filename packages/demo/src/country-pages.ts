import type { Cache } from '@tiercel/core'
import { cacheResponses } from '@tiercel/express'
import { Router, type Request } from 'express'
import type { Cities } from './cities.js'

/** Web pages of countries, whole answers from the cache. `cities` is the database: what is in the page is cached with it. */
export class CountryPages {
  /** How often a page was made. */
  runs = 0
  readonly router: Router = Router()

  constructor(cache: Cache, cities: Cities) {
    // The room of the country, as the rows are: whoever changes a city need not know that there are pages.
    const room = ({ params }: Request): string => String(params['code']).toUpperCase()

    this.router.get('/:code', cacheResponses({ cache, ttl: '5m', room }), async (request, response) => {
      this.runs += 1
      const code = room(request)
      const country = await cities.country(code)
      if (country === null) return void response.status(404).type('text').send('There is no such country')
      const rows = (await cities.largest(code, 20)).map(({ name, population }) => `<tr><td>${escaped(name)}</td><td>${population}</td></tr>`)
      response.send(`<!doctype html><title>${code}</title><h1>${country.cities} cities of ${code}</h1><table>${rows.join('\n')}</table>`)
    })
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
