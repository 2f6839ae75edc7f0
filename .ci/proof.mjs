// All that .ci/run checks, and then what takes longer than a change should wait for: the tests once more with
// TIERCEL_PROOF=1, which makes the ones that explore (properties, schedules) explore much further, every compiler of decorators, the public suite for HTTP
// caches, the whole bench, and ten soaks of a minute.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

step('run', 'bash', ['.ci/run'])
step('long tests', 'npm', ['test'], { TIERCEL_PROOF: '1' })
step('compilers', 'node', ['.ci/compilers.mjs'])
step('conformance', 'npm', ['run', '-s', 'conformance'])
step('bench', 'npm', ['run', '-s', 'bench'])
for (const on of ['standalone', 'cluster']) {
  for (let round = 1; round <= 5; round++) step(`soak, ${on}, ${round} of 5`, 'npm', ['run', '-s', 'soak', '--', '--seconds', '60', '--on', on])
}

function step(name, command, args, env = {}) {
  const began = performance.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`=== proof: ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`)
  if (status !== 0) process.exit(status ?? 1)
}
