import { expect } from 'vitest'
import { createStorage } from '../../../src/storage/index.js'
import type { Piece } from '../piece.js'
import { inOrder } from './numbers.js'

interface Model {
  session: Record<string, number>
  event: number
  chain: unknown
  command: unknown
  input: unknown
}

export const storage: Piece = {
  name: 'storage',
  promised: 'what was confirmed is there, in order and once, and no field of a session is lost',
  async begin(stage) {
    const [mine, theirs] = [createStorage<Model>({ backend: stage.hit, maxEvents: 100_000 }), createStorage<Model>({ backend: stage.other })]
    const events: number[] = []
    const fields: number[] = []
    return {
      async operate(n) {
        const { lasts } = stage
        await mine.addEvent('s', n)
        if (lasts) events.push(n)
        if ((await mine.updateSession('s', { [n]: n })) === undefined) await mine.setSession('s', { [n]: n })
        if (lasts) fields.push(n)
      },
      async check() {
        const [kept, session] = [await theirs.getEvents('s'), await theirs.getSession('s')]
        expect(kept).toEqual(inOrder(kept))
        expect(kept).toEqual(expect.arrayContaining(events))
        expect(Object.values(session ?? {})).toEqual(expect.arrayContaining(fields))
      },
    }
  },
}
