import { soak } from './soak.js'
import { printOutcome, isFine } from './report.js'
import { help, wishesOf, type Wishes } from './command-line.js'

let wishes: Wishes
try {
  wishes = wishesOf(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${help}`)
  process.exit(2)
}
if (wishes.help) process.stdout.write(help)
else {
  await run(wishes)
  // Not left to Node.js: its own clean-up has been seen to go on for ever, after everything was printed, with a socket left whose other end was cut off.
  process.exit()
}

async function run({ subject, stages, seconds, seed, hasFaults, callers, without }: Wishes): Promise<void> {
  for (const stage of stages) {
    const outcome = await soak({ subject, stage, seconds, seed, hasFaults, callers, without })
    process.stdout.write(printOutcome(outcome))
    // How others fare is for comparison.
    if (subject === 'tiercel' && !isFine(outcome)) process.exitCode = 1
  }
}
