import { expect, it } from 'vitest'
import { Cached, CacheConfig, CachePut, cacheOf, Invalidates, uncached } from '@tiercel/decorators'
import { anotherCache, cacheForTest } from '../ground.js'

function trips() {
  const names = new Map([['1', 'Alps'], ['2', 'Andes']])
  class Trips {
    @Cached({ room: (id: string) => id, tags: ['trips'] })
    async find(id: string): Promise<string> {
      return names.get(id) ?? 'none'
    }
    @Cached()
    async all(): Promise<string[]> {
      return [...names.values()]
    }
    @Invalidates({ room: (id: string) => id, method: 'all' })
    async rename(id: string, name: string): Promise<string> {
      names.set(id, name)
      return name
    }
    @Invalidates({ tags: ['trips'] })
    async renameAll(name: string): Promise<void> {
      for (const id of names.keys()) names.set(id, name)
    }
    @Invalidates({ method: 'find', args: (id: string) => [id] })
    async renameOne(id: string, name: string): Promise<void> {
      names.set(id, name)
    }
    @Invalidates({ method: 'find', resultArgs: (result: { id: string }) => [result.id] })
    async renameFirst(name: string): Promise<{ id: string }> {
      names.set('1', name)
      return { id: '1' }
    }
    @Invalidates({ resultRoom: (result: string | null) => result, resultTags: (_: string | null, name: string) => [name] })
    async renameWhatIsFound(name: string): Promise<string | null> {
      if (!names.has('1') || name === 'nothing') return null
      names.set('1', name)
      return '1'
    }
    @Invalidates({ keys: (id: string) => [`Trips.find:${id}`] })
    async byKey(id: string, name: string): Promise<void> {
      names.set(id, name)
    }
    @Invalidates({ all: true, when: (name: string) => name !== 'quietly' })
    async everything(name: string): Promise<void> {
      names.set('1', name)
    }
    @Invalidates({ room: (id: string) => id })
    async failing(id: string): Promise<void> {
      names.set(id, 'half done')
      throw new Error('failed')
    }
  }
  return { trips: new Trips(), names }
}

it('drops a room when the method has ended, and what other methods gave', async () => {
  cacheForTest()
  const { trips: t } = trips()
  const before = [await t.find('1'), await t.find('2'), await t.all()]
  expect(await t.rename('1', 'Ardennes')).toBe('Ardennes')
  expect([await t.find('1'), await t.find('2'), await t.all()]).not.toEqual(before)
  expect([await t.find('1'), await t.all()]).toEqual(['Ardennes', ['Ardennes', 'Andes']])
})

it('drops tags', async () => {
  cacheForTest()
  const { trips: t } = trips()
  await Promise.all([t.find('1'), t.find('2')])
  await t.renameAll('Hills')
  expect([await t.find('1'), await t.find('2')]).toEqual(['Hills', 'Hills'])
})

it('drops what another method gave for some arguments, and nothing else', async () => {
  cacheForTest()
  const { trips: t, names } = trips()
  await Promise.all([t.find('1'), t.find('2')])
  names.set('2', 'unseen')
  await t.renameOne('1', 'Ardennes')
  expect([await t.find('1'), await t.find('2')]).toEqual(['Ardennes', 'Andes'])
  await t.renameFirst('Apennines')
  expect([await t.find('1'), await t.find('2')]).toEqual(['Apennines', 'Andes'])
})

it('drops by the result, and nothing for a room that is none', async () => {
  cacheForTest()
  const { trips: t, names } = trips()
  await t.find('1')
  await t.renameWhatIsFound('Ardennes')
  expect(await t.find('1')).toBe('Ardennes')
  names.set('1', 'unseen')
  expect(await t.renameWhatIsFound('nothing')).toBe(null)
  expect(await t.find('1')).toBe('Ardennes')
})

it('drops keys as they are, or everything, unless `when` says otherwise', async () => {
  cacheForTest()
  const { trips: t } = trips()
  await t.find('1')
  await t.byKey('1', 'Ardennes')
  expect(await t.find('1')).toBe('Ardennes')
  await t.everything('quietly')
  expect(await t.find('1')).toBe('Ardennes')
  await t.everything('Apennines')
  expect(await t.find('1')).toBe('Apennines')
})

it('drops nothing when the method fails', async () => {
  cacheForTest()
  const { trips: t } = trips()
  await t.find('1')
  await expect(t.failing('1')).rejects.toThrow('failed')
  expect(await t.find('1')).toBe('Alps')
})

it('drops before the method if it is told to, also if that fails', async () => {
  const cache = cacheForTest()
  const seen: unknown[] = []
  class Trips {
    @Cached({ room: 'all' })
    async find() {
      return 1
    }
    @Invalidates({ room: 'all', before: true })
    async remove(): Promise<void> {
      seen.push(cache.peek('Trips.find()'))
      throw new Error('failed')
    }
  }
  const t = new Trips()
  await t.find()
  await expect(t.remove()).rejects.toThrow('failed')
  expect(seen).toEqual([undefined])
  expect(cache.peek('Trips.find()')).toBeUndefined()
})

it('leaves the old value for grace with expire', async () => {
  cacheForTest({ grace: '1h' })
  let isDown = false
  class Trips {
    @Cached({ room: 'all' })
    async find() {
      if (isDown) throw new Error('down')
      return 1
    }
    @Invalidates({ room: 'all', expire: true })
    async touch() {
      isDown = true
    }
  }
  const t = new Trips()
  await t.find()
  await t.touch()
  expect(await t.find()).toBe(1)
})

it('refuses tags that are not in an array before the method has done anything', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Invalidates({ tags: () => 'trips' as never })
    async rename() {
      runs++
    }
  }
  await expect(new Trips().rename()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET', message: expect.stringContaining('tags of @Invalidates') })
  expect(runs).toBe(0)
})

it('refuses a room that is not there before the method has done anything', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Invalidates({ room: (trip: { room?: string }) => trip.room as string })
    async rename(_trip: { room?: string }) {
      runs++
    }
    @Invalidates({ method: 'nothing' })
    async other() {
      runs++
    }
  }
  const t = new Trips()
  await expect(t.rename({})).rejects.toMatchObject({ code: 'TIERCEL_INVALID_TARGET' })
  await expect(t.other()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('no method nothing') })
  expect(runs).toBe(0)
})

it('drops in the cache of its class, or in one of its own', async () => {
  const [inUse, ofClass, own] = [cacheForTest(), anotherCache(), anotherCache()]
  @CacheConfig({ cache: ofClass })
  class Trips {
    @Invalidates({ room: 'r' })
    async one() {}
    @Invalidates({ room: 'r', cache: own })
    async two() {}
    @Invalidates({ room: 'r' })
    static async three() {}
  }
  const caches = [inUse, ofClass, own]
  const left = async (act: () => Promise<void>) => {
    for (const cache of caches) await cache.set('k', 1, { room: 'r' })
    await act()
    return caches.map((cache) => cache.peek('k'))
  }
  const t = new Trips()
  expect(await left(() => t.one())).toEqual([1, undefined, 1])
  expect(await left(() => t.two())).toEqual([1, 1, undefined])
  expect(await left(() => Trips.three())).toEqual([1, undefined, 1])
})

it('can be on a method more than once, and together with @CachePut', async () => {
  const cache = cacheForTest()
  class Trips {
    @Cached()
    async find(id: string): Promise<string> {
      return `old ${id}`
    }
    @Invalidates({ room: 'a' })
    @CachePut({ method: 'find', args: (id: string) => [id] })
    @Invalidates({ room: 'b' })
    async update(id: string): Promise<string> {
      return `new ${id}`
    }
  }
  await cache.set('a', 1, { room: 'a' })
  await cache.set('b', 1, { room: 'b' })
  const t = new Trips()
  expect(await t.update('1')).toBe('new 1')
  expect([cache.peek('a'), cache.peek('b'), await t.find('1')]).toEqual([undefined, undefined, 'new 1'])
})

it('puts what a method returned in the place of what another would give', async () => {
  const cache = cacheForTest()
  let runs = 0
  class Trips {
    @Cached({ ttl: '1h', room: (id: string) => id, resultTags: (trip: { name: string }) => [trip.name] })
    async find(id: string): Promise<{ id: string; name: string }> {
      runs++
      return { id, name: 'found' }
    }
    @CachePut({ method: 'find', resultArgs: (trip: { id: string }) => [trip.id], when: (name: string) => name !== 'quietly' })
    async create(name: string): Promise<{ id: string; name: string }> {
      runs++
      return { id: '9', name }
    }
  }
  const t = new Trips()
  await t.create('Alps')
  expect(await t.find('9')).toEqual({ id: '9', name: 'Alps' })
  await t.create('Andes')
  expect(await t.find('9')).toEqual({ id: '9', name: 'Andes' })
  await t.create('quietly')
  expect(await t.find('9')).toEqual({ id: '9', name: 'Andes' })
  expect(runs).toBe(3)
  expect((await cache.ttl(cacheOf(t).find.key('9'))) ?? 0).toBeGreaterThan(3_000_000)
  await cache.invalidateTag('Andes')
  expect(cache.peek(cacheOf(t).find.key('9'))).toBeUndefined()
  await t.create('Alps')
  await cache.invalidateRoom('9')
  expect(cache.peek(cacheOf(t).find.key('9'))).toBeUndefined()
})

it('puts nothing when the method fails, and drops the older value for one that is not to be kept', async () => {
  const cache = cacheForTest()
  class Trips {
    @Cached({ unless: (name: string) => name === 'secret' })
    async find(_id: string): Promise<string> {
      return 'found'
    }
    @CachePut({ method: 'find', args: (id: string) => [id] })
    async rename(_id: string, name: string): Promise<string> {
      if (name === '') throw new Error('no name')
      return name
    }
  }
  const t = new Trips()
  await t.find('1')
  await expect(t.rename('1', '')).rejects.toThrow('no name')
  expect(await t.find('1')).toBe('found')
  await t.rename('1', 'secret')
  expect(cache.peek(cacheOf(t).find.key('1'))).toBeUndefined()
})

it('puts nothing that the other method would run beside the cache', async () => {
  const cache = cacheForTest()
  class Trips {
    @Cached({ when: (id: string) => id !== 'live' })
    async find(id: string): Promise<string> {
      return id
    }
    @CachePut({ method: 'find', args: (id: string) => [id] })
    async put(id: string): Promise<string> {
      return `put ${id}`
    }
  }
  const t = new Trips()
  await t.put('live')
  await t.put('1')
  expect([cache.peek('Trips.find:live'), cache.peek('Trips.find:1')]).toEqual([undefined, 'put 1'])
})

it('invalidates and puts also where reads go beside the cache', async () => {
  cacheForTest()
  const { trips: t } = trips()
  await t.find('1')
  await uncached(() => t.rename('1', 'Ardennes'))
  expect(await t.find('1')).toBe('Ardennes')
})
