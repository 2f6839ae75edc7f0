import { parseArgs } from 'node:util'
import { benchmarkNames, type BenchmarkName } from './benchmarks/index.js'

export interface Wishes {
  readonly quick: boolean
  readonly json: boolean
  readonly help: boolean
  readonly only: readonly BenchmarkName[]
}

export const help = `npm run bench -- [options]

Compares Tiercel with other caches and prints ratios: our median over theirs, measured in turns in one run.
Timing never fails the run. A wrong value, or a loader that runs more often than it may, does.

  --quick        fewer and shorter rounds, under a minute in all
  --only <name>  only this benchmark; may be given more than once: ${benchmarkNames.join(', ')}
  --json         print one JSON document and nothing else to standard output
  --help         print this
`

/** @throws TypeError for what is no option. */
export function wishesOf(args: readonly string[]): Wishes {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
    },
  })
  for (const name of values.only) if (!isName(name)) throw new TypeError(`There is no benchmark '${name}'. There are: ${benchmarkNames.join(', ')}`)
  return { ...values, only: values.only.filter(isName) }
}

function isName(name: string): name is BenchmarkName {
  return (benchmarkNames as readonly string[]).includes(name)
}
