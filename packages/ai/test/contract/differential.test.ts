import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createAICacheService, type AICacheService, type FamilyName } from '@tiercel/ai'
import { Model } from './model.js'

const runs = process.env.TIERCEL_PROOF === '1' ? { numRuns: 100_000 } : { numRuns: 3000, seed: 7 }

const SIZES = { search: 3, recommendation: 4, analytics: 2, chat: 1 }
const MINUTES = { search: 10, recommendation: 10, analytics: 1440, chat: 60 }

interface Pair {
  readonly real: AICacheService
  readonly model: Model
}

/** Gives what both said, where they say something. */
type Step = (pair: Pair) => readonly [real: unknown, model: unknown] | void

const family = fc.constantFrom<FamilyName>('search', 'recommendation', 'analytics', 'chat')
const user = fc.constantFrom('u', 'u:1', '*')
const limit = fc.constantFrom(1, 6, 7)
const plainKey = fc.constantFrom('a', 'ab', 'search:a', 'search:b*', '')
const values = fc.constantFrom<unknown>('v', 0, '', null, undefined, false, [], {}, { deep: [1] })
const ttl = fc.constantFrom(undefined, 0, Number.NaN, 1, 0.5, 15, -1, Number.POSITIVE_INFINITY)

/** A key of each family, and how to use it. */
const place = fc.record({ family, user, limit, plainKey }).map(({ family: name, user: id, limit: many, plainKey: key }) => {
  const inner = { search: key, recommendation: `${id}:${many}`, analytics: id, chat: key }[name]
  const get = (real: AICacheService): unknown =>
    ({
      search: () => real.getSearchResults(key),
      recommendation: () => real.getRecommendations(id, many),
      analytics: () => real.getAnalytics(id),
      chat: () => real.getChatResponse(key),
    })[name]()
  const set = (real: AICacheService, what: unknown, minutes: number | undefined): void =>
    ({
      search: () => real.setSearchResults(key, what, minutes),
      recommendation: () => real.setRecommendations(id, many, what, minutes),
      analytics: () => real.setAnalytics(id, what, minutes),
      chat: () => real.setChatResponse(key, what, minutes),
    })[name]()
  return { name, inner, get, set }
})

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: place.map(({ name, inner, get }): Step => ({ real, model }) => [get(real), model.get(name, inner)]) },
  {
    weight: 6,
    arbitrary: fc.tuple(place, values, ttl).map(([{ name, inner, set }, what, minutes]): Step => ({ real, model }) => {
      set(real, what, minutes)
      model.set(name, inner, what, minutes)
    }),
  },
  // Onto the last moment of a value, and past it.
  { weight: 3, arbitrary: fc.constantFrom(1, 30_000, 60_000, 600_000, 3_600_000).map((ms): Step => () => void vi.advanceTimersByTime(ms)) },
  {
    weight: 1,
    arbitrary: user.map((id): Step => ({ real, model }) => {
      real.invalidateUserCache(id)
      model.drop('recommendation', (key) => [1, 6, 7].some((many) => key === `${id}:${many}`))
      model.drop('analytics', (key) => key === id)
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<readonly [string | undefined, (key: string) => boolean]>(
        [undefined, () => true],
        ['a*', (key) => key.startsWith('a') || key.startsWith('search:a')],
        ['search:*', (key) => key.startsWith('search:')],
        ['b\\*', (key) => key === 'search:b*'],
      )
      .map(([pattern, isDropped]): Step => ({ real, model }) => {
        real.invalidateSearchCache(pattern)
        model.drop('search', isDropped)
      }),
  },
  { weight: 1, arbitrary: fc.constant<Step>(({ real }) => real.performMaintenance()) },
  {
    weight: 1,
    arbitrary: fc.constant<Step>(({ real, model }) => {
      real.clearAll()
      model.clear()
    }),
  },
  { weight: 2, arbitrary: fc.constant<Step>(({ real, model }) => [JSON.stringify(real.getStats()), JSON.stringify(model.stats())]) },
  { weight: 1, arbitrary: family.map((name): Step => ({ real, model }) => [real.getCacheHitRatio(name), model.ratio(name)]) },
)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] })
})

afterEach(() => {
  vi.useRealTimers()
})

it('does what the plainest rules do, whatever the order of calls', () => {
  const same = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const real = createAICacheService({
      redis: false,
      enabled: true,
      logger: {},
      cacheExpiryMinutes: 10,
      searchCacheSize: SIZES.search,
      recommendationCacheSize: SIZES.recommendation,
      analyticsCacheSize: SIZES.analytics,
      chatCacheSize: SIZES.chat,
    })
    const pair = { real, model: new Model(SIZES, MINUTES, () => Date.now()) }
    for (const each of steps) {
      const [said, expected] = each(pair) ?? []
      // Values are given by reference.
      expect(said).toBe(expected)
    }
    expect(real.getStats()).toEqual(pair.model.stats())
    void real.close()
  })
  expect(() => fc.assert(same, runs)).not.toThrow()
})
