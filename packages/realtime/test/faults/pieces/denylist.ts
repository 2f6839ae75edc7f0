import { expect, vi } from 'vitest'
import { createDenylist } from '../../../src/denylist/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'

export const denylist: Piece = {
  name: 'denylist',
  promised: 'no call fails, no revoked token is let in where it was revoked, and in the end everybody knows of each that was revoked during the fault',
  refusesOnly: [],
  async begin(stage) {
    const [mine, theirs] = [createDenylist({ backend: stage.hit }), createDenylist({ backend: stage.other })]
    const revoked: string[] = []
    const letIn: string[] = []
    const expiresAt = new Date(Date.now() + 3_600_000)
    return {
      async operate(n) {
        const { lasts } = stage
        const token = `token ${n}`
        const { durable } = await mine.revoke(token, { expiresAt })
        // A Redis that loses what it had loses those that it had confirmed.
        if (lasts || !durable) revoked.push(token)
        if (lasts && !(await mine.isRevoked(token))) letIn.push(token)
      },
      async check() {
        expect(letIn).toEqual([])
        await vi.waitUntil(() => mine.stats().pending === 0, soon)
        const verdicts = await Promise.all(revoked.map((token) => theirs.check(token)))
        expect(revoked.filter((_, at) => verdicts[at] !== 'revoked')).toEqual([])
        expect(await theirs.check('another')).toBe('not-revoked')
      },
    }
  },
}
