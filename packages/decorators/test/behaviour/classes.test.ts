import { expect, it } from 'vitest'
import { CacheConfig, Cached, cacheOf, cachedMethods, releaseNames } from '@tiercel/decorators'
import { anotherCache, cacheForTest } from '../ground.js'

const refused = (saying: string) => expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining(saying) })

function users() {
  class Repository {
    @Cached()
    async find(id: string) {
      return `user ${id}`
    }
  }
  return new Repository()
}

function orders() {
  class Repository {
    @Cached()
    async find(id: string) {
      return `order ${id}`
    }
  }
  return new Repository()
}

it('refuses a second class of the same name, before any of its methods is called', () => {
  users()
  expect(orders).toThrow(refused('those of Repository.find'))
})

it('lets two classes of one name be, when both are given names', async () => {
  cacheForTest()
  const first = () => {
    @CacheConfig({ name: 'UserRepository' })
    class Repository {
      @Cached()
      async find(id: string) {
        return `user ${id}`
      }
    }
    return new Repository()
  }
  const second = () => {
    @CacheConfig({ name: 'OrderRepository' })
    class Repository {
      @Cached()
      async find(id: string) {
        return `order ${id}`
      }
    }
    return new Repository()
  }
  const [user, order] = [first(), second()]
  expect([await user.find('1'), await order.find('1')]).toEqual(['user 1', 'order 1'])
  expect([cacheOf(user).find.key('1'), cacheOf(order).find.key('1')]).toEqual(['UserRepository.find:1', 'OrderRepository.find:1'])
})

it('refuses two classes that are given the same name', () => {
  const define = () => {
    @CacheConfig({ name: 'Trips' })
    class Anything {
      @Cached()
      async find() {
        return 1
      }
    }
    return Anything
  }
  define()
  expect(define).toThrow(refused('those of Trips.find'))
})

it('refuses two methods that are given the same name', () => {
  expect(() => {
    class Trips {
      @Cached({ name: 'trip' })
      async find(id: string) {
        return id
      }
      @Cached({ name: 'trip' })
      async other(id: string) {
        return id
      }
    }
    return new Trips()
  }).toThrow(refused('those of trip'))
})

it('takes a class that is defined anew after releaseNames', () => {
  users()
  releaseNames()
  expect(users).not.toThrow()
})

it('uses the name of a method in place of those of class and method', () => {
  class Trips {
    @Cached({ name: 'trip-by-id' })
    async find(id: string) {
      return id
    }
  }
  expect(cacheOf(new Trips()).find.key('1')).toBe("trip-by-id:1")
})

it('refuses a name that a minifier has made, and takes one that is given instead', async () => {
  cacheForTest()
  class g {
    @Cached()
    async find(id: string) {
      return id
    }
  }
  const use = async () => new g().find('1')
  await expect(use()).rejects.toThrow(refused("called 'g'"))
  class t {
    @Cached({ name: 'trip' })
    async find(id: string) {
      return id
    }
  }
  expect(await new t().find('1')).toBe('1')
})

it('refuses a minified name at the definition, where @CacheConfig does not give another', () => {
  expect(() => {
    @CacheConfig({ ttl: '1m' })
    class g {
      @Cached()
      async find(id: string) {
        return id
      }
    }
    return g
  }).toThrow(refused('@CacheConfig({ name'))
  expect(() => {
    @CacheConfig({ ttl: '1m', name: 'Trips' })
    class g {
      @Cached()
      async find(id: string) {
        return id
      }
    }
    return g
  }).not.toThrow()
})

it('keeps what classes inherit apart: what a method gives may depend on the class', async () => {
  cacheForTest()
  abstract class Repository<T> {
    abstract readonly kind: string
    runs = 0
    @Cached()
    async find(id: string): Promise<T> {
      this.runs++
      return `${this.kind} ${id}` as T
    }
  }
  class Users extends Repository<string> {
    readonly kind = 'user'
  }
  class Orders extends Repository<string> {
    readonly kind = 'order'
  }
  const [user, order] = [new Users(), new Orders()]
  expect([await user.find('1'), await order.find('1'), await user.find('1')]).toEqual(['user 1', 'order 1', 'user 1'])
  expect([user.runs, order.runs]).toEqual([1, 1])
  expect(cacheOf(user).find.key('1')).toBe("Users/Repository.find:1")
})

it('lets a cached override call the cached method it overrides', async () => {
  cacheForTest()
  class Base {
    runs: string[] = []
    @Cached()
    async find(id: string): Promise<string> {
      this.runs.push(`base ${id}`)
      return `base ${id}`
    }
  }
  class Special extends Base {
    @Cached()
    override async find(id: string): Promise<string> {
      this.runs.push(`special ${id}`)
      return `special ${await super.find(id)}`
    }
  }
  const [base, special] = [new Base(), new Special()]
  expect(await special.find('1')).toBe('special base 1')
  expect(await special.find('1')).toBe('special base 1')
  expect(await base.find('1')).toBe('base 1')
  expect(special.runs).toEqual(['special 1', 'base 1'])
  expect(cacheOf(special).find.key('1')).toBe("Special.find:1")
})

it('does not cache an override without @Cached', async () => {
  cacheForTest()
  class Base {
    runs = 0
    @Cached()
    async find(id: string): Promise<string> {
      return id
    }
  }
  class Special extends Base {
    override async find(id: string): Promise<string> {
      this.runs++
      return id
    }
  }
  const special = new Special()
  await special.find('1')
  await special.find('1')
  expect(special.runs).toBe(2)
  expect(() => cacheOf(special).find).toThrow(refused('no method find'))
})

it('caches static methods, for each class that inherits them', async () => {
  cacheForTest()
  class Trips {
    static kind = 'trip'
    static runs = 0
    @Cached()
    static async find(id: string) {
      this.runs++
      return `${this.kind} ${id}`
    }
    @Cached()
    async find(id: string) {
      return `instance ${id}`
    }
  }
  class Tours extends Trips {
    static override kind = 'tour'
  }
  expect([await Trips.find('1'), await Tours.find('1'), await Trips.find('1')]).toEqual(['trip 1', 'tour 1', 'trip 1'])
  expect(await new Trips().find('1')).toBe('instance 1')
  expect(cacheOf(Trips).find.key('1')).toBe('Trips.static.find:1')
})

it('caches methods whose names are no names: symbols and other text', async () => {
  cacheForTest()
  const secret = Symbol('secret')
  let runs = 0
  class Trips {
    @Cached()
    async [secret](id: string) {
      runs++
      return id
    }
    @Cached()
    async 'odd (name)'(id: string) {
      runs++
      return id
    }
  }
  const trips = new Trips()
  for (let i = 0; i < 2; i++) await Promise.all([trips[secret]('1'), trips['odd (name)']('1')])
  expect(runs).toBe(2)
})

it('works with another decorator around it, also in a class above', async () => {
  cacheForTest()
  const log: string[] = []
  type Around = (first: unknown, name: unknown, descriptor?: PropertyDescriptor) => never
  const Logged = ((first: unknown, name: unknown, descriptor?: PropertyDescriptor) => {
    const original = (descriptor === undefined ? first : descriptor.value) as (...args: unknown[]) => unknown
    const logged = function (this: unknown, ...args: unknown[]) {
      log.push(String(args[0]))
      return original.apply(this, args)
    }
    return descriptor === undefined ? logged : { ...descriptor, value: logged }
  }) as Around
  class Base {
    runs = 0
    @Logged
    @Cached()
    async find(id: string): Promise<string> {
      this.runs++
      return `base ${id}`
    }
  }
  class Special extends Base {
    @Logged
    @Cached()
    override async find(id: string): Promise<string> {
      return `special ${await super.find(id)}`
    }
  }
  const special = new Special()
  expect([await special.find('1'), await special.find('1')]).toEqual(['special base 1', 'special base 1'])
  expect(await new Base().find('1')).toBe('base 1')
  expect(log).toEqual(['1', '1', '1', '1'])
  expect(special.runs).toBe(1)
  expect(cacheOf(special).find.key('1')).toBe("Special.find:1")
})

it('uses the keys of its class when it is called without an object', async () => {
  cacheForTest()
  class Trips {
    @Cached()
    async find(id: string) {
      return id
    }
  }
  const trips = new Trips()
  await trips.find('1')
  const { find } = trips
  expect(await find('1')).toBe('1')
  expect(cachedMethods()).toMatchObject([{ name: 'Trips.find', calls: 2, loads: 1 }])
})

it('keeps instances apart that the class tells apart', async () => {
  cacheForTest()
  @CacheConfig({ instance: (self: Trips) => self.tenant })
  class Trips {
    constructor(readonly tenant: string) {}
    @Cached()
    async find(id: string) {
      return `${this.tenant} ${id}`
    }
  }
  const [one, other] = [new Trips('a'), new Trips('b')]
  expect([await one.find('1'), await other.find('1'), await new Trips('a').find('1')]).toEqual(['a 1', 'b 1', 'a 1'])
  expect(cacheOf(one).find.key('1')).toBe("Trips.find['a']:1")
  await cacheOf(one).find.clear()
  expect([await cacheOf(one).find.get('1'), await cacheOf(other).find.get('1')]).toEqual([undefined, 'b 1'])
})

it('refuses a call on an object that cannot be told apart as its class says', async () => {
  cacheForTest()
  @CacheConfig({ instance: () => () => 1 })
  class Trips {
    @Cached()
    async find(id: string) {
      return id
    }
  }
  await expect(new Trips().find('1')).rejects.toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_KEY', message: expect.stringContaining('`instance`') }))
})

it('uses the cache of the method, else of the class, else the one in use', async () => {
  const [inUse, ofClass, ofMethod, ofInstance] = [cacheForTest({ name: 'use' }), anotherCache({ name: 'class' }), anotherCache({ name: 'method' }), anotherCache({ name: 'instance' })]
  @CacheConfig({ cache: ofClass })
  class Trips {
    readonly injected = ofInstance
    @Cached()
    async one() {
      return 1
    }
    @Cached({ cache: ofMethod })
    async two() {
      return 2
    }
    @Cached({ cache: (self: Trips) => self.injected })
    async three() {
      return 3
    }
  }
  class Others {
    @Cached()
    async four() {
      return 4
    }
  }
  const trips = new Trips()
  await Promise.all([trips.one(), trips.two(), trips.three(), new Others().four()])
  expect([ofClass.peek('Trips.one()'), ofMethod.peek('Trips.two()'), ofInstance.peek('Trips.three()'), inUse.peek('Others.four()')]).toEqual([1, 2, 3, 4])
})

it('refuses a call whose class gives no cache', async () => {
  @CacheConfig({ cache: (self: Trips) => self.injected as never })
  class Trips {
    readonly injected = undefined
    @Cached()
    async find() {
      return 1
    }
  }
  await expect(new Trips().find()).rejects.toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT', message: expect.stringContaining('Trips.find') }))
})
