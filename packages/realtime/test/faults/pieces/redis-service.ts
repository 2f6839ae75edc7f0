import { expect, vi } from 'vitest'
import { createRedisService } from '../../../src/redis-service/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'

export const redisService: Piece = {
  name: 'redisService',
  promised: 'no call fails but for a Redis that is full, each finds what was written last where it is, and Redis has it when it is over',
  refusesOnly: ['full'],
  async begin({ hit, other }) {
    const [mine, theirs] = [createRedisService({ backend: hit }), createRedisService({ backend: other })]
    const where = () => mine.getConnectionStatus()
    let last = 0
    return {
      async operate(n) {
        const before = where()
        await mine.set('k', String(n))
        last = n
        const found = await mine.get('k')
        // Memory begins empty, and what it had is forgotten when Redis is back.
        if (before === where()) expect(found).toBe(String(n))
      },
      async check() {
        await vi.waitFor(async () => {
          await mine.set('k', String(++last))
          expect(await theirs.get('k')).toBe(String(last))
        }, soon)
        await vi.waitUntil(() => where() === 'connected' && theirs.getConnectionStatus() === 'connected', soon)
      },
    }
  },
}
