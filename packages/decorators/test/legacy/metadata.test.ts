import 'reflect-metadata'
import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { CacheKey, Cached, Invalidates } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

const Role = (role: string) => (target: object, property: string, descriptor: PropertyDescriptor) => {
  Reflect.defineMetadata('role', role, descriptor.value as object)
  Reflect.defineMetadata('of-property', role, target, property)
}

it('carries the metadata of decorators below to what takes the place of the method, and keeps that of decorators above', async () => {
  cacheForTest()
  const Above = (_: object, __: string, descriptor: PropertyDescriptor) => Reflect.defineMetadata('above', true, descriptor.value as object)
  class Trips {
    @Above
    @Cached()
    @Role('reader')
    async find(id: string) {
      return id
    }
    @Invalidates({ room: 'r' })
    @Role('writer')
    async rename(_id: string) {}
  }
  const { find, rename } = Trips.prototype
  expect([Reflect.getMetadata('role', find), Reflect.getMetadata('above', find), Reflect.getMetadata('of-property', Trips.prototype, 'find')]).toEqual(['reader', true, 'reader'])
  expect(Reflect.getMetadata('role', rename)).toBe('writer')
  expect(Reflect.getMetadata('design:paramtypes', Trips.prototype, 'find')).toEqual([String])
  expect(await new Trips().find('1')).toBe('1')
})

const refused = (saying: string) => expect.objectContaining({ code: 'TIERCEL_INVALID_KEY', message: expect.stringContaining(saying) })

it('refuses a parameter whose type has no identity where the class is defined, by its name', () => {
  class Socket extends EventEmitter {}
  expect(() => {
    class Trips {
      @Cached()
      async find(_id: string, _socket: Socket) {
        return 1
      }
    }
    return Trips
  }).toThrow(refused("find: the parameter '_socket' is a Socket"))
  expect(() => {
    class Trips {
      @Cached()
      async find(_done: () => void) {
        return 1
      }
    }
    return Trips
  }).toThrow(refused('is a Function'))
  expect(() => {
    class Trips {
      @Cached()
      async find(_signal: AbortSignal) {
        return 1
      }
    }
    return Trips
  }).toThrow(refused('is a AbortSignal'))
})

it('takes such a parameter when it is no part of the key, or says what it is', () => {
  class Tenant extends EventEmitter {
    toCacheKey() {
      return 1
    }
  }
  expect(() => {
    class Trips {
      @Cached({ key: (id: string) => id })
      async byKey(id: string, _signal: AbortSignal) {
        return id
      }
      @Cached()
      async byMark(@CacheKey() id: string, _signal: AbortSignal) {
        return id
      }
      @Cached()
      async tenant(_tenant: Tenant, _any: unknown, _trip: { id: string }) {
        return 1
      }
    }
    return Trips
  }).not.toThrow()
})
