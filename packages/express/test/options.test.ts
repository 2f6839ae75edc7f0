import { createCache } from '@tiercel/core'
import { cacheResponses, invalidateResponses, type InvalidateResponsesOptions, type ResponseCacheOptions } from '@tiercel/express'
import { expect, it } from 'vitest'

const cache = createCache({ redis: false })

it.each([
  [undefined],
  [{}],
  [{ cache: {} }],
  [{ cache, tll: '1m' }],
  [{ cache, ttl: -1 }],
  [{ cache, ttl: '1 day' }],
  [{ cache, maxWait: '30d' }],
  [{ cache, grace: Number.NaN }],
  [{ cache, room: 7 }],
  [{ cache, tags: 'pages' }],
  [{ cache, tags: [''] }],
  [{ cache, key: 'k' }],
  [{ cache, methods: ['POST'] }],
  [{ cache, methods: [] }],
  [{ cache, cookies: 'all' }],
  [{ cache, cookies: [7] }],
  [{ cache, query: 'utm_*' }],
  [{ cache, query: { ignored: ['a'] } }],
  [{ cache, query: { only: [1] } }],
  [{ cache, maxBody: 1.5 }],
  [{ cache, maxVariants: -1 }],
  [{ cache, requestDirectives: 'yes' }],
  [{ cache, errors: 1 }],
  [{ cache, admit: 'third' }],
  [{ cache, cacheStatus: 'two words' }],
  [{ cache, targeted: 'CDN-Cache-Control' }],
  [{ cache, logger: {} }],
])('refuses options that cannot be: %o', (options) => {
  expect(() => cacheResponses(options as unknown as ResponseCacheOptions)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
})

it.each([[undefined], [{ cache }], [{ room: '1' }], [{ cache, rooms: ['1'] }]])('refuses to invalidate by options that cannot be: %o', (options) => {
  expect(() => invalidateResponses(options as unknown as InvalidateResponsesOptions)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
})
