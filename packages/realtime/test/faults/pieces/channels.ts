import { expect, vi } from 'vitest'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'
import { inOrder } from './numbers.js'

export const channels: Piece = {
  name: 'channels',
  promised: 'no call fails, who listens in the process hears all of it, others in order and nothing twice, and again when it is over',
  refusesOnly: [],
  async begin({ hit, other }) {
    const here: number[] = []
    const there: number[] = []
    const byPattern: number[] = []
    await hit.pubSub.subscribe<number>('news', (n) => here.push(n))
    await other.pubSub.subscribe<number>('news', (n) => there.push(n))
    await other.pubSub.subscribePattern<number>('ne*', (n) => byPattern.push(n))
    let last = 0
    return {
      async operate(n) {
        await hit.pubSub.publish('news', n)
        last = n
      },
      async check() {
        expect(here).toEqual(Array.from({ length: last + 1 }, (_, n) => n))
        await vi.waitUntil(async () => {
          await hit.pubSub.publish('news', ++last)
          return there.at(-1) === last && byPattern.at(-1) === last
        }, { ...soon, interval: 50 })
        expect(there).toEqual(inOrder(there))
        expect(byPattern).toEqual(inOrder(byPattern))
      },
    }
  },
}
