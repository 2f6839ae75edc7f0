import { createAICacheService, createLLMCache } from '@tiercel/ai'
import { createCache } from '@tiercel/core'
import { operatorRouter } from '@tiercel/express'
import { createBackend, createDenylist, createEventSockets, createLocks, createRateLimiter, createRedisService, createStorage } from '@tiercel/realtime'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { followSessions, sessionRoutes } from './agent-sessions.js'
import { assistantRoutes, Model } from './assistant.js'
import { CachedCities } from './cached-cities.js'
import { Chat } from './chat.js'
import { citiesIn } from './cities.js'
import { CountryPages } from './country-pages.js'
import { modelBehind, questionRoutes } from './language-model.js'
import { memberRoutes } from './members.js'
import { RunningServer } from './running-server.js'
import { citiesService } from './service.js'
import type { Birth, ServiceStats } from './service-processes.js'
import { MEMBER_LIMIT } from './shows/two-processes/members.js'
import { ParentDatabase } from './shared-database.js'
import { WatchedDatabase } from './watched-database.js'
import { WebSockets } from './web-sockets.js'

// What a demonstration leaves in a Redis that is not its own is to be gone soon.
const TEN_MINUTES = '10m'

// One process of the service. It lives as long as the channel to its parent, which breaks however the parent ends.
const parentGone = once(process, 'disconnect')
const [name = 'cities', port = '0', maxStaleness = '5000', deadlineMs = '250'] = process.argv.slice(2)
const deadline = Number(deadlineMs)
const longestConnecting = 15_000
try {
  const close = await serve()
  await parentGone
  await close()
  // Nobody is left who would end it if anything kept it.
  process.exit()
} catch (error) {
  // Of Tiercel's own errors and those of listening, which hold no secrets. `disconnect` waits for what was sent.
  tellParent({ failed: error instanceof Error ? error.message : 'unknown error' })
  if (process.connected) process.disconnect()
}

async function serve(): Promise<() => Promise<void>> {
  const database = new WatchedDatabase(new ParentDatabase())
  // Everything the processes must have in common: the name, and REDIS_URL in the environment.
  const cache = createCache({ name, maxStaleness: Number(maxStaleness), deadline })
  const ai = createAICacheService({ name: `${name}-assistant`, deadline })
  // The questions are about cities, and their answers the same for everybody.
  const llm = createLLMCache({ name: `${name}-model`, scope: 'public', ttl: TEN_MINUTES, deadline })
  const backend = createBackend({ prefix: `${name}:`, deadline })
  const model = new Model()
  const languageModel = modelBehind(llm, process.env)
  const direct = citiesIn(database)
  const pages = new CountryPages(cache, direct)
  const served = { memory: 0, redis: 0, database: 0 }
  cache.on('hit', ({ tier }) => (served[tier] += 1))
  cache.on('load', () => (served.database += 1))
  if (!(await isConnected())) {
    await closeAll()
    throw new Error('REDIS_URL names a Redis that does not answer')
  }

  const stats = (): ServiceStats => ({
    databaseQueries: database.queries,
    served,
    // A request counts once its handler has been called, so this one does not yet.
    open: server.open,
    redis: cache.health().redis?.breaker === 'closed' ? 'used' : 'not used',
    cache: cache.stats(),
    pages: { runs: pages.runs },
    assistant: { modelCalls: model.calls, kept: ai.getStats().chat.size },
    model: { calls: languageModel.calls, saved: llm.stats().saved },
  })
  const storage = createStorage({ backend, ttl: { sessions: TEN_MINUTES, events: TEN_MINUTES } })
  const chat = await Chat.open(backend)
  const guards = {
    denylist: createDenylist({ backend }),
    limiter: createRateLimiter({ backend, name: 'members', limit: MEMBER_LIMIT, window: TEN_MINUTES }),
    locks: createLocks({ backend }),
  }
  // Bound to the loopback interface: whoever can ask is on this machine.
  const operator = operatorRouter({ authorize: () => true, sources: { cities: cache, chat: chat.presence, ...guards } })
  const members = memberRoutes({ ...guards, redis: createRedisService({ backend }), secret: name })
  const more = { '/members': members, '/operator': operator, '/pages': pages.router, '/assistant': assistantRoutes(ai, model), '/ask': questionRoutes(languageModel), '/sessions': sessionRoutes(storage), '/rooms': chat.routes }
  const sockets = new WebSockets({ '/events': followSessions(await createEventSockets(storage)), '/chat': chat.welcome })
  const server = await RunningServer.start(citiesService(new CachedCities(cache, direct), stats, more), Number(port), sockets)
  tellParent({ origin: server.origin })
  return async () => {
    await server.close()
    await closeAll()
  }

  async function closeAll(): Promise<void> {
    await Promise.all([cache.close(), ai.close(), llm.close(), backend.close()])
  }

  async function isConnected(): Promise<boolean> {
    const until = performance.now() + longestConnecting
    await Promise.all([cache.ready(), ai.ready, backend.ready()])
    for (; performance.now() < until; await pause(50)) {
      if (cache.getConnectionStatus() === 'connected' && backend.getConnectionStatus() === 'connected') return true
    }
    return false
  }
}

function tellParent(message: Birth): void {
  if (process.connected) process.send?.(message)
}
