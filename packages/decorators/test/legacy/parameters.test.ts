import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { CacheKey, Cached, cacheOf, Invalidates, Room } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

const refused = (code: string, saying: string) => expect.objectContaining({ code, message: expect.stringContaining(saying) })

it('makes the key of the parameters that are marked, in their order', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(@CacheKey() id: string, _trace: () => void, @CacheKey() page: number) {
      return `${id} ${page} ${++runs}`
    }
  }
  const trips = new Trips()
  expect(await trips.find('1', () => {}, 2)).toBe('1 2 1')
  expect(await trips.find('1', () => {}, 2)).toBe('1 2 1')
  expect(await trips.find('1', () => {}, 3)).toBe('1 3 2')
  expect(cacheOf(trips).find.key('1', () => {}, 2)).toBe("Trips.find('1',2)")
})

it('takes the room from the parameter that is marked, for @Cached and @Invalidates, also a number', async () => {
  cacheForTest()
  let runs = 0
  class Trips {
    @Cached()
    async find(@Room() tripId: number) {
      return `${tripId} ${++runs}`
    }
    @Invalidates()
    async rename(_name: string, @Room() tripId: number) {
      return tripId
    }
  }
  const trips = new Trips()
  await Promise.all([trips.find(1), trips.find(2)])
  await trips.rename('Alps', 1)
  expect([await trips.find(1), await trips.find(2)]).toEqual(['1 3', '2 2'])
})

it('lets an override begin without the marks of what it overrides', () => {
  class Base {
    @Cached()
    async find(@CacheKey() id: string, _page: number) {
      return id
    }
  }
  class Special extends Base {
    @Cached()
    override async find(id: string, _page: number) {
      return id
    }
  }
  expect(cacheOf(new Special()).find.key('1', 2)).toBe("Special.find('1',2)")
})

it('refuses marks that contradict options, or each other', () => {
  expect(() => {
    class Trips {
      @Cached({ key: (id: string) => id })
      async find(@CacheKey() id: string) {
        return id
      }
    }
    return Trips
  }).toThrow(refused('TIERCEL_INVALID_OPTION', '@CacheKey'))
  expect(() => {
    class Trips {
      @Cached({ room: 'r' })
      async find(@Room() id: string) {
        return id
      }
    }
    return Trips
  }).toThrow(refused('TIERCEL_INVALID_OPTION', '@Room'))
  expect(() => {
    class Trips {
      @Cached()
      async find(@Room() id: string, @Room() other: string) {
        return id + other
      }
    }
    return Trips
  }).toThrow(refused('TIERCEL_INVALID_OPTION', 'one room'))
  expect(() => {
    class Trips {
      @Invalidates({ room: 'r' })
      async find(@Room() id: string) {
        return id
      }
    }
    return Trips
  }).toThrow(refused('TIERCEL_INVALID_OPTION', '@Room'))
})

it('refuses a mark on a parameter of a constructor', () => {
  expect(() => {
    class Trips {
      constructor(@CacheKey() readonly id: string) {}
    }
    return Trips
  }).toThrow(refused('TIERCEL_INVALID_ARGUMENT', '@CacheKey'))
})

it('does not ask what types a compiler has written down when nothing can read them', () => {
  expect(() => {
    class Trips {
      @Cached()
      async find(_source: EventEmitter) {
        return 1
      }
    }
    return Trips
  }).not.toThrow()
})
