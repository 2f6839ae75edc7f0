import { expect } from 'vitest'
import { createLocks } from '../../../src/locks/index.js'
import type { Piece } from '../piece.js'

export const locks: Piece = {
  name: 'locks',
  promised: 'fences grow with each holder, whatever Redis has lost, and nobody is left with a lock that is not given back',
  async begin({ hit, other }) {
    const options = { ttl: '2s', wait: 0 } as const
    const [mine, theirs] = [createLocks({ backend: hit, ...options }), createLocks({ backend: other, ...options })]
    const fences: number[] = []
    const held: boolean[] = []
    return {
      async operate(n) {
        const lock = await (n % 3 === 0 ? theirs : mine).acquire('resource').catch((error: unknown) => {
          // It is held after a lost answer, until it is taken back or its time is over.
          if ((error as { code?: string }).code === 'TIERCEL_LOCK_TIMEOUT') return undefined
          throw error
        })
        if (lock === undefined) return
        fences.push(lock.fence)
        await lock.release()
        held.push(lock.isHeld)
      },
      async check() {
        expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b))
        expect(held).not.toContain(true)
        const last = await theirs.acquire('resource', { wait: '30s' })
        expect(last.fence).toBeGreaterThan(fences.at(-1) ?? 0)
      },
    }
  },
}
