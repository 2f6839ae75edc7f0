import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { describeWithRedis, startRedis } from '../../core/test/redis/server/index.js'
import { demonstrate, showsOfTwo, type Sizes } from '../src/demonstration.js'
import { openRedis, type Redis } from '../src/redis.js'
import { lookFor, type Chapter } from '../src/report.js'
import { startProcesses, type ServiceProcesses } from '../src/service-processes.js'
import { setStage, type Stage } from '../src/stage.js'
import { biggestCities, type City } from '../src/world.js'
import { showAgents } from '../src/shows/two-processes/agents.js'
import { showChat } from '../src/shows/two-processes/chat.js'
import { showMembers } from '../src/shows/two-processes/members.js'
import { patience } from '../src/wait-for.js'
import { buildProgram, removePrograms, type Replacements } from './program.js'
import { endAll, run } from './running.js'

const small: Sizes = { pages: 10, requests: 0, visitors: 0, reads: 0, crowd: 200, updates: 4, events: 60, people: 5, away: 600 }
/** Nothing takes so long, however busy the machine is, unless it hangs. */
const LONG = 300_000
const fails = (chapters: Chapter[]): string[] =>
  chapters.flatMap(({ claims }) => claims.filter(({ holds }) => !holds).map(({ says }) => says))

describeWithRedis('the shows of two processes', () => {
  let stage: Stage
  let redis: Redis
  let processes: ServiceProcesses | undefined

  beforeAll(async () => {
    stage = await setStage(biggestCities(600))
    redis = (await openRedis(undefined)) as Redis
  }, LONG)
  afterEach(async () => {
    patience.ms = 60_000
    await processes?.close()
    processes = undefined
  })
  afterAll(async () => {
    await redis.close()
    await stage.close()
    await removePrograms()
  })

  const begin = async (replacements?: Replacements, { url } = redis): Promise<ServiceProcesses> => {
    const { serviceProcess } = await buildProgram(replacements)
    processes = await startProcesses({ database: stage.database, redisUrl: url, program: serviceProcess })
    return processes
  }
  const play = async (sizes: Sizes, { own } = redis): Promise<Chapter[]> => {
    if (!processes) throw new Error('nothing to play with')
    const shared = { cities: stage.cities, database: stage.database, processes, redisServer: own }
    return demonstrate(showsOfTwo(shared, sizes), lookFor({}, {}), () => {})
  }

  it('bear out every claim', async () => {
    await begin()
    const chapters = await play(small)
    expect(fails(chapters)).toEqual([])
    expect(chapters.map(({ claims }) => claims.length)).toEqual([2, 2, 3, 4, 2, 3, 3, 4, 3, 3])
    expect(chapters[1]?.table).toContainEqual(['in the two processes at the same moment', '200'])
    expect(chapters[1]?.table).toContainEqual(['database queries', '1'])
  }, LONG)

  it('say so when the processes do not know of each other', async () => {
    await begin({ core: new URL('./cache-without-others.ts', import.meta.url) })
    const failed = fails(await play({ ...small, updates: 1 }, { ...redis, own: undefined }))
    expect(failed).toEqual([
      'what A had loaded, B had from Redis: no page was loaded twice',
      'in both processes together they cost one query',
      'the other process stopped serving it within 2 s, and neither went back to it',
      'the room was gone from both: each page was loaded once, for both',
      'A ran the handler once for each page, and B not at all',
      'the other did within 2 s, and pages of other countries stayed',
    ])
  }, LONG)

  it('say so when invalidations do nothing', async () => {
    await begin({ core: new URL('./cache-that-keeps-rooms.ts', import.meta.url) })
    const failed = fails(await play({ ...small, updates: 1 }))
    expect(failed).toContain('through the process that wrote, nobody saw the old row again')
    expect(failed).toContain('the process that wrote showed the new page at once')
    expect(failed).toContain('what was changed through a process was never old there, and through the other for 2 s at most, without any Redis')
    expect(failed).toContain('once both used Redis again, no row was from before, and both agreed with the database')
  }, LONG)

  it('do not stop a Redis that is not theirs, and leave nothing there that concerns others', async () => {
    const server = await startRedis()
    const named = (await openRedis(server.url)) as Redis
    try {
      await begin(undefined, named)
      const chapters = await play(small, named)
      expect(fails(chapters)).toEqual([])
      expect(chapters).toHaveLength(9)
      await processes?.close()
      for (const key of (await server.cli('KEYS', '*')) as string[]) expect(key).toMatch(/^\{?tiercel-demo-/)
    } finally {
      await named.close()
      await server.stop()
    }
  }, LONG)

  it('say so when what agents, chatters and members do stays in its process', async () => {
    patience.ms = 10_000
    const shared = { cities: stage.cities, database: stage.database, processes: await begin({ realtime: new URL('./realtime-without-others.ts', import.meta.url) }), redisServer: undefined }
    const failed = fails([await showAgents(shared, small), await showChat(shared, small), await showMembers(shared)])
    expect(failed).toEqual([
      'whoever followed a session, on A or on B, was sent each of its events once, in order, and no other',
      'A and B gave the same session, with all its events',
      'each command was added once, and taken once',
      'A and B named the same people, each once however many sockets',
      'every socket in the room heard every message once, those of each person in order, and no other did',
      'who closed two of three sockets stayed, and everybody was told of each coming and going once',
      'both processes together let a member through exactly as often as the limit says, and refused the rest with 429; another member was not held up',
      'a token revoked through one was refused by the other at its next request, and no other token was',
      'with the lock no point was lost, and each holder had a greater fence than the one before',
    ])
  }, LONG)

  it('say so when somebody with several sockets goes with one of them', async () => {
    const shared = { cities: stage.cities, database: stage.database, processes: await begin({ realtime: new URL('./presence-of-one-socket.ts', import.meta.url) }), redisServer: undefined }
    expect(fails([await showChat(shared, small)])).toEqual(['who closed two of three sockets stayed, and everybody was told of each coming and going once'])
  }, LONG)

  it('refuse a query the database refuses, and go on', async () => {
    const [a] = (await begin()).pair
    const city = stage.cities[0] as City
    stage.database.down = true
    expect((await a.client.get(`/cities/${city.id}`)).status).toBe(503)
    stage.database.down = false
    expect((await a.client.get(`/cities/${city.id}`)).status).toBe(200)
  }, LONG)
})

describeWithRedis('the process, with Redis', () => {
  let main: string
  let temporary: string

  beforeAll(async () => {
    main = (await buildProgram()).main
  }, LONG)
  afterEach(endAll)
  afterEach(() => rm(temporary, { recursive: true }))
  afterAll(removePrograms)

  const start = async (args: string[], env: NodeJS.ProcessEnv = {}) => {
    temporary = await mkdtemp(join(tmpdir(), 'tiercel-demo-test-'))
    return run(process.execPath, [main, ...args], { PATH: process.env['PATH'], TMPDIR: temporary, PORT: '0', ...env })
  }
  /** The folder of a Redis goes last: once it has gone, so has the server. */
  const redisGone = () => vi.waitFor(async () => expect(await readdir(temporary)).toEqual([]), { timeout: 60_000, interval: 20 })

  it('plays everything, ends by itself and leaves nothing running', async () => {
    const { output, ended } = await start(['--quick'])
    const code = await ended
    expect(output.out).not.toContain('FAILED')
    expect(code).toBe(0)
    expect(output.out).toContain('43 of 43 claims held')
    expect(output.out).not.toContain('Left out')
    expect(output.err).toBe('')
    await redisGone()
  }, LONG)

  it('serves as two processes that share what they have, until Ctrl-C', async () => {
    const { child, output, ended, serving } = await start(['--quick', '--serve'])
    const [one = '', other = ''] = await serving()
    expect(other).not.toBe(one)
    const [page, same] = [await fetch(`${one}/cities/2988507`), await fetch(`${other}/cities/2988507`)]
    expect(await same.json()).toEqual(await page.json())
    expect(await (await fetch(`${one}/stats`)).json()).toMatchObject({ databaseQueries: 1, served: { database: 1 } })
    expect(await (await fetch(`${other}/stats`)).json()).toMatchObject({ databaseQueries: 0, served: { redis: 1 } })
    const figures = (await (await fetch(`${one}/operator/stats`)).json()) as { sources: Record<string, { healthy: boolean }> }
    expect(Object.entries(figures.sources).map(([source, { healthy }]) => [source, healthy])).toEqual(['cities', 'chat', 'denylist', 'limiter', 'locks'].map((source) => [source, true]))
    // As a terminal does: to everybody in the group.
    process.kill(-(child.pid ?? NaN), 'SIGINT')
    expect(await ended).toBe(0)
    expect(output.err).toBe('')
    await redisGone()
  }, LONG)

  it('takes its processes and Redis along when it is interrupted', async () => {
    const { child, output, ended, printed } = await start(['--quick'])
    await printed(/For two processes: /)
    process.kill(-(child.pid ?? NaN), 'SIGINT')
    expect(await ended).toBe(1)
    expect(output.out).not.toContain('claims held')
    expect(output.err).toBe('')
    await redisGone()
  }, LONG)

  it('takes its processes and Redis along when it is killed', async () => {
    const { child, ended, serving } = await start(['--quick', '--serve'])
    const origins = await serving()
    child.kill('SIGKILL')
    await ended
    await redisGone()
    for (const origin of origins) await expect(fetch(origin)).rejects.toThrow()
  }, LONG)
})
