import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { demonstrate, showsOfOne, type Sizes } from '../src/demonstration.js'
import { lookFor, printChapter, type Chapter } from '../src/report.js'
import { setStage, type Stage } from '../src/stage.js'
import { biggestCities, type City } from '../src/world.js'

const sizes: Sizes = { pages: 10, requests: 200, visitors: 200, reads: 60, crowd: 200, updates: 4, events: 60, people: 5, away: 600 }
const look = lookFor({}, {})
/** Nothing takes so long, however busy the machine is, unless it hangs. */
const LONG = 300_000
const fails = (chapters: Chapter[]): string[] =>
  chapters.flatMap(({ claims }) => claims.filter(({ holds }) => !holds).map(({ says }) => says))

describe('the shows, on a slice of the data', () => {
  let stage: Stage
  let printed: string

  const play = (): Promise<Chapter[]> => {
    printed = ''
    return demonstrate(showsOfOne(stage, sizes), look, (text) => {
      printed += text
    })
  }

  beforeAll(async () => {
    stage = await setStage(biggestCities(600))
  }, LONG)
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
  }, LONG)

  it('say so when invalidations do nothing', async () => {
    const real = stage.cache.invalidate.bind(stage.cache)
    vi.spyOn(stage.cache, 'invalidate').mockImplementation((target) =>
      'all' in target ? real(target) : Promise.resolve({ durable: true }))
    const failed = fails(await play())
    expect(failed).toContain('once the update was confirmed, nobody saw the old value')
    expect(failed).toContain('naming the room dropped every page in it, and no page had to be named')
    expect(printed).toContain('FAILED  once the update was confirmed')
  }, LONG)

  it('say so when nothing is cached', async () => {
    vi.spyOn(stage.cache, 'getOrSet').mockImplementation(async (_key, load) =>
      load({ room() {}, tags() {}, ttl() {} } as unknown as Parameters<typeof load>[0]))
    const failed = fails(await play())
    expect(failed).toContain('and none when it was cached')
    expect(failed).toContain('the cache saved queries')
    expect(failed).toContain('with the cache they cost one query')
    expect(failed).toContain('with grace every visit to a page once cached was answered')
  }, LONG)
})

describe('the service', () => {
  let stage: Stage
  let paris: City

  beforeAll(async () => {
    stage = await setStage(biggestCities(600))
    paris = stage.cities.find(({ name }) => name === 'Paris') as City
  }, LONG)
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
  }, LONG)

  it('drops a search that shows the city when the city changes', async () => {
    const [, [tokyo]] = await get('/search?q=tokyo') as [number, City[]]
    expect((await stage.cached.client.put(`/cities/${tokyo?.id}`, { population: 7 })).status).toBe(200)
    expect(await get('/search?q=tokyo')).toEqual([200, [{ ...tokyo, population: 7 }]])
  }, LONG)

  it.each(['/cities/paris', '/cities/99999999999', '/countries/FRA', '/countries/FR/cities?top=0', '/search?q=x', '/search'])(
    'refuses %s and says how to ask', async (path) => {
      const before = stage.database.queries
      expect(await get(path)).toEqual([400, { error: expect.stringContaining('as in') }])
      expect(stage.database.queries).toBe(before)
    }, LONG)

  it('refuses a population that is none, and a body that cannot be read', async () => {
    for (const population of [-1, 1.5, 'many', 2 ** 31]) {
      expect((await stage.cached.client.put(`/cities/${paris.id}`, { population })).status).toBe(400)
    }
    const unreadable = await fetch(`${stage.cached.server.origin}/cities/${paris.id}`, {
      method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{',
    })
    expect(unreadable.status).toBe(400)
    expect(await get(`/cities/${paris.id}`)).toEqual([200, paris])
  }, LONG)

  it('has no answer for a city that does not exist', async () => {
    expect((await get('/cities/1'))[0]).toBe(404)
    expect((await stage.cached.client.put('/cities/1', { population: 1 })).status).toBe(404)
  }, LONG)
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
