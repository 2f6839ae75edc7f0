import { inspect } from 'node:util'
import { benchmarkNamed, benchmarkNames } from './benchmarks/index.js'
import { help, wishesOf, type Wishes } from './command-line.js'
import type { Result } from './comparison.js'
import { full, quick } from './effort.js'
import { NoRedis } from './redis/with-redis.js'
import { printEnd, printResult, reportOf } from './report.js'

let wishes: Wishes
try {
  wishes = wishesOf(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${help}`)
  process.exit(2)
}
if (wishes.help) process.stdout.write(help)
else await run(wishes)

async function run({ quick: isQuick, json, only }: Wishes): Promise<void> {
  const results: Result[] = []
  const leftOut: string[] = []
  const chosen = benchmarkNames.filter((name) => only.length === 0 || only.includes(name))
  for (const name of chosen) {
    try {
      const benchmark = await benchmarkNamed(name)
      const result = await benchmark(isQuick ? quick : full)
      results.push(result)
      if (!json) process.stdout.write(printResult(result))
    } catch (error) {
      if (error instanceof NoRedis) {
        leftOut.push(name)
        process.stderr.write(`bench: ${name} IS LEFT OUT. ${error.message}\n`)
        continue
      }
      process.stderr.write(`bench: ${name} failed\n${inspect(error)}\n`)
      process.exitCode = 1
    }
  }
  const report = reportOf(isQuick ? 'quick' : 'full', results, leftOut)
  process.stdout.write(json ? `${JSON.stringify(report, undefined, 2)}\n` : printEnd(report))
}
