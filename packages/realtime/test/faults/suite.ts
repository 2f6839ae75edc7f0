// This file defines a suite for others, so its titles are names.
/* oxlint-disable vitest/valid-title, vitest/require-top-level-describe, vitest/no-hooks */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeWithRedis } from '../../../core/test/redis/server/index.js'
import type { Client } from '../ground/ground.js'
import { faults } from './fault.js'
import { pieces } from './pieces/index.js'
import { Trial } from './trial.js'

/** No fault may hold a call up for so long: several round trips at their deadline, on a machine that does much else. What calls really took is in the table. */
const HANGS_MS = 30_000

/** Every piece under every fault, with one kind of client. Prints what was promised and seen. */
export function faultSuite(client: Client): void {
  describeWithRedis(`with ${client}, what can go wrong`, () => {
    const seen = new Map<string, string>()
    afterAll(() => print(client, seen))

    for (const fault of faults) {
      describe(`when Redis is ${fault.name} (${fault.injected})`, () => {
        const trial = new Trial(client, fault)
        beforeAll(() => trial.run(pieces), 300_000)
        afterAll(() => trial.stop())

        for (const piece of pieces) {
          it(`${piece.name}: ${piece.promised}`, async () => {
            const calls = trial.calls.get(piece)
            seen.set(`${fault.name} ${piece.name}`, 'BROKEN')
            expect(calls?.wrong, 'errors that no call may end with').toEqual([])
            const mayRefuse = piece.refusesOnly?.includes(fault.name) ?? true
            expect(mayRefuse ? [] : calls?.refused, 'calls that were refused').toEqual([])
            expect(calls?.slowestMs).toBeLessThan(HANGS_MS)
            await trial.check(piece)
            seen.set(`${fault.name} ${piece.name}`, `${calls?.shown}, slowest ${calls?.slowestMs.toFixed(0)} ms`)
          })
        }
      })
    }
  })
}

function print(client: Client, seen: ReadonlyMap<string, string>): void {
  const rows = faults.flatMap((fault) => pieces.map((piece) => [fault.name, piece.name, piece.promised, seen.get(`${fault.name} ${piece.name}`) ?? 'not run']))
  const table = [['fault', 'piece', 'promised', 'seen'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  process.stderr.write(`\nfaults, with ${client}\n${table.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd()).join('\n')}\n`)
}
