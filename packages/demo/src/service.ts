import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express'
import type { Cities } from './cities.js'

/** The HTTP service over the cities, which does not know whether there is a cache; and `more`, by path. */
export function citiesService(cities: Cities, stats: () => object, more: Readonly<Record<string, RequestHandler>> = {}): Express {
  const app = express()
  app.disable('x-powered-by')

  app.get('/cities/:id', async (request, response) => {
    const id = wholeNumber(request.params.id, 1, 2 ** 31 - 1)
    if (id === undefined) return refuse(response, 'The id of a city is a whole number, as in /cities/2988507')
    answer(response, await cities.city(id))
  })

  app.put('/cities/:id', express.json(), async (request, response) => {
    const id = wholeNumber(request.params.id, 1, 2 ** 31 - 1)
    const population = wholeNumber(String((request.body as { population?: unknown } | undefined)?.population), 0, 2 ** 31 - 1)
    if (id === undefined || population === undefined) return refuse(response, 'Send { "population": <whole number> } to /cities/<id>')
    answer(response, await cities.setPopulation(id, population))
  })

  app.get('/countries/:code', async (request, response) => {
    const code = countryCode(request.params.code)
    if (code === undefined) return refuse(response, 'A country is its code of two letters, as in /countries/FR')
    answer(response, await cities.country(code))
  })

  app.get('/countries/:code/cities', async (request, response) => {
    const code = countryCode(request.params.code)
    const top = wholeNumber(String(request.query['top'] ?? 20), 1, 100)
    if (code === undefined || top === undefined) return refuse(response, 'Ask as in /countries/FR/cities?top=20, for 100 at most')
    answer(response, await cities.largest(code, top))
  })

  app.get('/search', async (request, response) => {
    const text = String(request.query['q'] ?? '').trim().toLowerCase()
    if (text.length < 2 || text.length > 50) return refuse(response, 'Ask as in /search?q=paris, with 2 to 50 characters')
    answer(response, await cities.search(text))
  })

  for (const [path, router] of Object.entries(more)) app.use(path, router)

  app.get('/stats', (_request, response) => {
    response.json(stats())
  })

  app.use((_request, response) => {
    response.status(404).json({ error: 'There is no such page' })
  })
  app.use(failed)
  return app
}

function answer(response: Response, found: object | null): void {
  if (found === null) response.status(404).json({ error: 'Not found' })
  else response.json(found)
}

function refuse(response: Response, error: string): void {
  response.status(400).json({ error })
}

function wholeNumber(text: string, least: number, most: number): number | undefined {
  const number = /^\d{1,10}$/.test(text) ? Number(text) : NaN
  return number >= least && number <= most ? number : undefined
}

function countryCode(text: string): string | undefined {
  return /^[a-z]{2}$/i.test(text) ? text.toUpperCase() : undefined
}

// Express recognises an error handler by its four parameters. Faults of the request keep their status; the rest is ours.
const failed: ErrorRequestHandler = (error: { status?: number }, _request, response, next) => {
  if (response.headersSent) return next(error)
  const theirs = error.status !== undefined && error.status < 500
  response.status(theirs ? (error.status ?? 400) : 503).json({ error: theirs ? 'The request cannot be read' : 'Try again in a moment' })
}
