import { describe, expect, it } from 'vitest'
import { Fences, TokenRegistry } from '../../src/coherence/index.js'

describe('fences', () => {
  it('hold until their key, a token of theirs or a match breaks them', () => {
    const fences = new Fences()
    const tokens = new TokenRegistry()
    const open = () => fences.open('k', [tokens.hold('t')], 0)
    const [byKey, byMatch, byToken, byExpiry] = [open(), fences.open('matching', [], 0), fences.open('other', [tokens.hold('t')], 0), fences.open('third', [tokens.hold('u')], 0)]
    expect([byKey, byMatch, byToken, byExpiry].map((fence) => fence.holds)).toEqual([true, true, true, true])
    fences.breakKey('k')
    fences.breakKey('no such key')
    fences.breakWhere((key) => key.startsWith('match'))
    expect([byKey, byMatch, byToken, byExpiry].map((fence) => fence.holds)).toEqual([false, false, true, true])
    tokens.invalidate('t')
    tokens.expire('u')
    expect([byToken, byExpiry].map((fence) => fence.holds)).toEqual([false, false])
  })

  it('are all broken when several are open on a key, but not those opened later', () => {
    const fences = new Fences()
    const open = [1, 2, 3].map(() => fences.open('k', [], 0))
    fences.breakKey('k')
    const later = fences.open('k', [], 0)
    expect(open.map((fence) => fence.holds)).toEqual([false, false, false])
    expect(later.holds).toBe(true)
  })

  it('can be closed in any order, once or twice, and break nothing that is closed', () => {
    for (const order of [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]) {
      const fences = new Fences()
      const open = [0, 1, 2].map(() => fences.open('k', [], 0))
      const closed: number[] = []
      for (const i of order) {
        expect(fences.size).toBe(1)
        const fence = open[i]
        if (fence !== undefined) fences.close(fence)
        closed.push(i)
        fences.breakKey('k')
        expect(open.map((each) => each.holds)).toEqual(open.map((_, at) => closed[0] === at))
      }
      expect(fences.size).toBe(0)
      for (const fence of open) fences.close(fence)
      expect(fences.size).toBe(0)
    }
  })
})
