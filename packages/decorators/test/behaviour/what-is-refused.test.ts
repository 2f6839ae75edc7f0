import { expect, it } from 'vitest'
import { CacheConfig, Cached, CachePut, Invalidates } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

const argument = expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' })
const option = (saying: string) => expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining(saying) })
/** What the compiler would refuse: for those who have none. */
type Loose = (...args: unknown[]) => (...args: unknown[]) => never
const untyped = { Cached: Cached as unknown as Loose, Invalidates: Invalidates as unknown as Loose, CachePut: CachePut as unknown as Loose, CacheConfig: CacheConfig as unknown as Loose }

it('refuses a getter', () => {
  expect(() => {
    class Trips {
      @untyped.Cached()
      get all() {
        return Promise.resolve([])
      }
    }
    return Trips
  }).toThrow(argument)
})

it('refuses a field, also one that holds a function', () => {
  expect(() => {
    class Trips {
      @untyped.Cached()
      find = async () => 1
    }
    return new Trips()
  }).toThrow(argument)
})

it.each([['a generator', false], ['an asynchronous generator', true]])('refuses %s', (_, isAsync) => {
  const sync = () => {
    class Trips {
      @untyped.Cached()
      *all() {
        yield 1
      }
    }
    return Trips
  }
  const asynchronous = () => {
    class Trips {
      @untyped.Cached()
      async *all() {
        yield 1
      }
    }
    return Trips
  }
  expect(isAsync ? asynchronous : sync).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT', message: expect.stringContaining('a generator') }))
})

it('refuses a class where it takes a method, and a method where it takes a class', () => {
  expect(() => {
    @untyped.Cached()
    class Trips {}
    return Trips
  }).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT', message: expect.stringContaining('not on a class') }))
  expect(() => {
    class Trips {
      @untyped.CacheConfig({})
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(argument)
})

it.each([
  [{ tll: '5m' }, "no option 'tll'"],
  [{ ttl: '5 minutes' }, 'ttl'],
  [{ ttl: -1 }, 'ttl'],
  [{ refresh: 2 }, 'refresh'],
  [{ grace: '1s', refresh: 0.5, ttl: '1h' }, 'grace'],
  [{ softTimeout: '2s', hardTimeout: '1s' }, 'softTimeout'],
  [{ grace: 0, softTimeout: '1s' }, 'softTimeout needs grace'],
  [{ room: 'a', resultRoom: () => 'b' }, 'one room'],
  [{ key: 'id' }, 'key'],
  [{ when: true }, 'when'],
  [{ returns: {} }, 'returns'],
  [{ bypass: 'all' }, 'bypass'],
  [{ name: 'find(' }, 'name'],
  [{ name: '' }, 'name'],
  [null, '@Cached takes an object of options'],
  ['5m', '@Cached takes an object of options'],
])('refuses %j of @Cached where the class is defined', (options, saying) => {
  expect(() => {
    class Trips {
      @untyped.Cached(options)
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(option(saying))
})

it('allows what depends on the cache: a softTimeout whose grace the cache has', () => {
  expect(() => {
    class Trips {
      @Cached({ softTimeout: '1s' })
      async find() {
        return 1
      }
    }
    return Trips
  }).not.toThrow()
})

it.each([
  [{ tll: '5m' }, "no option 'tll'"],
  [{ key: () => 1 }, "no option 'key'"],
  [{ ttl: () => 1 }, 'same for all methods'],
  [{ name: 'a b' }, 'name'],
  [{ refresh: 2 }, 'refresh'],
  [null, '@CacheConfig takes an object of options'],
])('refuses %j of @CacheConfig', (options, saying) => {
  expect(() => untyped.CacheConfig(options)).toThrow(option(saying))
})

it.each([
  [undefined, 'nothing to invalidate'],
  [{ all: false }, 'nothing to invalidate'],
  [{ rooms: ['a'] }, "no option 'rooms'"],
  [{ room: 'a', before: 'yes' }, 'before'],
  [{ resultTags: () => [], before: true }, 'no result'],
  [{ args: () => [] }, 'method'],
  [{ method: 'find', args: () => [], resultArgs: () => [] }, 'leave one out'],
  [{ method: 7 }, 'method'],
  [{ room: 'a', when: 1 }, 'when'],
])('refuses %j of @Invalidates', (options, saying) => {
  expect(() => {
    class Trips {
      @untyped.Invalidates(options)
      async rename() {
        return 1
      }
    }
    return Trips
  }).toThrow(option(saying))
})

it.each([
  [{}, 'method'],
  [{ method: 'find' }, 'one of args and resultArgs'],
  [{ method: 'find', args: () => [], resultArgs: () => [] }, 'one of args and resultArgs'],
  [{ method: 'find', args: [] }, 'args'],
  [{ method: 'find', args: () => [], ttl: 1 }, "no option 'ttl'"],
])('refuses %j of @CachePut', (options, saying) => {
  expect(() => untyped.CachePut(options)).toThrow(option(saying))
})

it('refuses @Cached over what has to happen at each call', () => {
  expect(() => {
    class Trips {
      @Cached()
      @Invalidates({ room: 'a' })
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(option('@Cached and @Invalidates'))
})

it('refuses what has to happen at each call over @Cached', () => {
  expect(() => {
    class Trips {
      @CachePut({ method: 'other', args: () => [] })
      @Cached()
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(option('@CachePut and @Cached'))
})

it('refuses @Cached twice on one method', () => {
  expect(() => {
    class Trips {
      @Cached()
      @Cached()
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(option('@Cached and @Cached'))
})

it('refuses @CacheConfig twice on one class', () => {
  expect(() => {
    @CacheConfig({ ttl: 1 })
    @CacheConfig({ ttl: 2 })
    class Trips {}
    return Trips
  }).toThrow(option('twice'))
})

it('refuses options of a class and of its method that contradict each other', () => {
  expect(() => {
    @CacheConfig({ grace: '1h', softTimeout: '5s' })
    class Trips {
      @Cached({ hardTimeout: '1s' })
      async find() {
        return 1
      }
    }
    return Trips
  }).toThrow(option('softTimeout must be shorter than hardTimeout'))
})

it.each([
  [null, '@CachePut takes an object of options'],
  [{ args: () => [] }, 'needs `method`'],
  [{ method: 'find' }, 'needs one of args and resultArgs'],
  [{ method: 'find', args: () => [], resultArgs: () => [] }, 'needs one of args and resultArgs'],
  [{ method: 'find', args: [] }, 'args of @CachePut must be a function'],
  [{ method: 'find', args: () => [], ttl: 1 }, "no option 'ttl'"],
])('refuses %j of @CachePut', (options, saying) => {
  expect(() => untyped.CachePut(options)).toThrow(option(saying))
})

it('refuses more cached methods than a process can have', () => {
  const define = (name: string) => {
    class Trips {
      @Cached({ name })
      async find() {
        return 1
      }
    }
    return new Trips()
  }
  for (let i = 0; i < 10_000; i++) define(`trips${i}`)
  expect(() => define('trips')).toThrow(option('at most 10000 cached methods'))
})

it('refuses arguments of @CachePut that are not in an array', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    async find(id: string) {
      return id
    }
    @CachePut({ method: 'find', resultArgs: (id: string) => id as never })
    async create(id: string) {
      return id
    }
  }
  await expect(new Trips().create('42')).rejects.toThrow(option('an array of arguments'))
})

it('refuses a `cache` that gives no cache, to whoever reads and to whoever invalidates', async () => {
  @CacheConfig({ cache: () => ({}) as never })
  class Trips {
    @Cached()
    async find(id: string) {
      return id
    }
    @Invalidates({ tags: () => ['trips'] })
    async rename() {}
  }
  await expect(new Trips().find('42')).rejects.toThrow(argument)
  await expect(new Trips().rename()).rejects.toThrow(argument)
})

it('refuses a method on an object without a class', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    async find() {
      return 1
    }
  }
  const bare = Object.assign(Object.create(Object.create(null) as object) as object, { find: Trips.prototype.find })
  await expect(bare.find()).rejects.toThrow(option('an object without a class'))
})
