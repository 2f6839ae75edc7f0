import { expect, it } from 'vitest'
import { Cached } from '@tiercel/decorators'
import { cacheForTest } from '../ground.js'

it('caches a private method under the name it is given, for each class', async () => {
  const cache = cacheForTest()
  class Trips {
    kind = 'trip'
    runs = 0
    @Cached({ name: 'Trips.hidden' })
    async #hidden(id: string) {
      this.runs++
      return `${this.kind} ${id}`
    }
    find(id: string) {
      return this.#hidden(id)
    }
  }
  class Tours extends Trips {
    override kind = 'tour'
  }
  const [trip, tour] = [new Trips(), new Tours()]
  expect([await trip.find('1'), await trip.find('1'), await tour.find('1')]).toEqual(['trip 1', 'trip 1', 'tour 1'])
  expect([trip.runs, tour.runs]).toEqual([1, 1])
  expect(cache.peek("Trips/Trips.hidden:1")).toBe('trip 1')
})

it('refuses a private method without a name, because nobody can tell its class', () => {
  expect(() => {
    class Trips {
      @Cached()
      async #hidden() {
        return 1
      }
      find() {
        return this.#hidden()
      }
    }
    return Trips
  }).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION', message: expect.stringContaining('#hidden') }))
})
