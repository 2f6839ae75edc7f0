import { createCache, type Cache } from '@tiercel/core'
import { CachedCities } from './cached-cities.js'
import { citiesIn } from './cities.js'
import { Client } from './client.js'
import { CountryPages } from './country-pages.js'
import { openDatabase } from './database.js'
import { fill } from './fill.js'
import { RunningServer } from './running-server.js'
import { citiesService } from './service.js'
import { WatchedDatabase } from './watched-database.js'
import type { City } from './world.js'

/** The same service twice over one database, without a cache and with one, and a client for each. */
export interface Stage {
  /** What the database was filled with, biggest city first. */
  readonly cities: City[]
  readonly database: WatchedDatabase
  readonly cache: Cache
  readonly direct: Service
  readonly cached: Service
  readonly readyIn: number
  close(): Promise<void>
}

export interface Service {
  readonly server: RunningServer
  readonly client: Client
}

/** Opens and fills the database and starts both services. `port` is that of the cached one; 0 takes any that is free. */
export async function setStage(cities: City[], { url, port = 0 }: { url?: string | undefined; port?: number } = {}): Promise<Stage> {
  const closing: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    // Last opened, first closed: nobody is left who asks something that is gone.
    for (const step of closing.splice(0).reverse()) await step()
  }
  try {
    const began = performance.now()
    const opened = await openDatabase(url)
    closing.push(() => opened.close())
    await fill(opened, cities)
    const database = new WatchedDatabase(opened)
    const readyIn = performance.now() - began

    // In memory only, whatever the environment says: what Redis adds has its own processes.
    const cache = createCache({ name: 'cities', redis: false, grace: '1h' })
    closing.push(() => cache.close())

    const start = async (service: Parameters<typeof RunningServer.start>[0], at?: number): Promise<Service> => {
      const server = await RunningServer.start(service, at)
      const client = new Client(server.origin)
      closing.push(async () => {
        client.close()
        await server.close()
      })
      return { server, client }
    }
    const stats = (): object => ({ databaseQueries: database.queries, cache: cache.stats() })
    const direct = citiesIn(database)
    return {
      cities,
      database,
      cache,
      direct: await start(citiesService(direct, stats)),
      cached: await start(citiesService(new CachedCities(cache, direct), stats, { '/pages': new CountryPages(cache, direct).router }), port),
      readyIn,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
