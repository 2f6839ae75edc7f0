import { expect, vi } from 'vitest'
import { createRateLimiter } from '../../../src/limits/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'

const LIMIT = 40

export const rateLimiter: Piece = {
  name: 'rate limiter',
  promised: 'every call is answered, all processes together let no more through than the limit, and each by itself no more than its own',
  refusesOnly: [],
  async begin(stage) {
    const options = { limit: LIMIT, localLimit: LIMIT, window: '1h', outage: 'local' } as const
    const [mine, theirs] = [createRateLimiter({ backend: stage.hit, ...options }), createRateLimiter({ backend: stage.other, ...options })]
    const through = { shared: 0, local: 0, outage: 0 }
    let forgot = 0
    return {
      async operate(n) {
        if (!stage.lasts) forgot = 1
        const { allowed, by } = await (n % 3 === 0 ? theirs : mine).consume('all')
        if (allowed) through[by]++
      },
      async check() {
        // A Redis that has lost its data begins anew.
        expect(through.shared).toBeLessThanOrEqual(LIMIT * (1 + forgot))
        expect(through.local).toBeLessThanOrEqual(2 * LIMIT)
        expect(through.outage).toBe(0)
        for (let n = 0; n < LIMIT; n++) await theirs.consume('all')
        const decision = await vi.waitUntil(async () => {
          const made = await mine.consume('all')
          return made.by === 'shared' && made
        }, soon)
        expect(decision).toMatchObject({ allowed: false })
      },
    }
  },
}
