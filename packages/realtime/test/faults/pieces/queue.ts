import { expect } from 'vitest'
import { createQueue } from '../../../src/queues/index.js'
import type { Piece } from '../piece.js'

export const queue: Piece = {
  name: 'queue',
  promised: 'what was confirmed is given out, added once however often it was tried, and not again after its acknowledgement',
  async begin(stage) {
    const [mine, theirs] = [createQueue<number>('jobs', { backend: stage.hit, maxItems: 100_000, claim: '10m' }), createQueue<number>('jobs', { backend: stage.other, maxItems: 100_000, claim: '1ms' })]
    const toAdd: number[] = []
    const added: number[] = []
    const ids = new Map<number, Set<string>>()
    const finished = new Set<string>()
    const again: string[] = []
    const given = (items: readonly { readonly id: string; readonly value: number }[]) => {
      for (const { id, value } of items) {
        if (finished.has(id)) again.push(id)
        ids.set(value, (ids.get(value) ?? new Set()).add(id))
      }
      return items.map(({ id }) => id)
    }
    return {
      async operate(n) {
        const { lasts } = stage
        toAdd.push(n)
        const next = toAdd[0] ?? n
        await mine.add(next, { idempotencyKey: String(next) })
        toAdd.shift()
        if (lasts) added.push(next)
        if (n % 3 > 0) return
        const taken = given(await mine.claim(2))
        if ((await mine.acknowledge(...taken)) === taken.length) for (const id of taken) finished.add(id)
      },
      async check() {
        for (let items = await theirs.claim(100); items.length > 0; items = await theirs.claim(100)) await theirs.acknowledge(...given(items))
        expect([...ids.keys()]).toEqual(expect.arrayContaining(added))
        expect(again).toEqual([])
        const twice = added.filter((n) => ids.get(n)?.size !== 1)
        expect(twice).toEqual([])
      },
    }
  },
}
