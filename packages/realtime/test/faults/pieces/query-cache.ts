import { createCache } from '@tiercel/core'
import { expect, vi } from 'vitest'
import { createMessageCache, createQueryCache } from '../../../src/query-cache/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'

export const queryCache: Piece = {
  name: 'query and message cache',
  promised: 'no call fails, and nobody is given rows from before an invalidation',
  refusesOnly: [],
  async begin({ target }) {
    const cache = createCache({ redis: target(), deadline: '1s', connectTimeout: '1s' })
    await cache.ready()
    const [queries, messages] = [createQueryCache({ cache }), createMessageCache<number>({ cache })]
    let rows = 0
    return {
      async operate(n) {
        rows = n
        await queries.invalidateRoom('r')
        expect(await queries.getOrQuery('list', { roomId: 'r' }, () => rows, 600)).toBe(n)
        expect(await messages.getOrAnalyse(`text ${n}`, () => n)).toBe(n)
      },
      async check() {
        await vi.waitFor(async () => {
          await queries.set('list', { roomId: 'r' }, ++rows, 600)
          expect(await queries.get('list', { roomId: 'r' })).toBe(rows)
        }, soon)
      },
      end: () => cache.close(),
    }
  },
}
