// This file defines a suite for others, so its titles are names and some of its tests depend on the environment.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/require-top-level-describe, vitest/expect-expect, vitest/no-disabled-tests */
import { afterAll, afterEach, it } from 'vitest'
import type { PackageName } from '../redis/clients/variants.js'
import { describeWithRedis } from '../redis/server/index.js'
import { Arena } from './arena.js'
import { leftOut, rows } from './rows/index.js'

const isProof = process.env.TIERCEL_PROOF === '1'

/** Every fault, with one kind of client. Prints what was injected, promised and seen. */
export function faultSuite(packageName: PackageName): void {
  describeWithRedis(`with ${packageName}, what can go wrong`, () => {
    const seen = new Map<string, string>()
    let arena: Arena | undefined
    afterEach(() => arena?.stop())
    afterAll(() => print(packageName, seen))

    for (const row of rows) {
      it.skipIf(row.isSlow === true && !isProof)(
        `${row.fault}: ${row.promised}`,
        async () => {
          seen.set(row.fault, 'BROKEN')
          arena = new Arena(packageName)
          seen.set(row.fault, await row.check(arena))
        },
      )
    }
  })
}

function print(packageName: string, seen: ReadonlyMap<string, string>): void {
  const cells = rows.map(({ fault, injected, promised }) => [fault, injected, promised, seen.get(fault) ?? 'not run: TIERCEL_PROOF=1 does'])
  const table = [['fault', 'injected', 'promised', 'seen'], ...cells]
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  const missing = leftOut.map(({ fault, because }) => `  not run: ${fault}: ${because}`)
  process.stderr.write(`\nfaults, with ${packageName}\n${lines.join('\n')}\n${missing.join('\n')}\n`)
}
