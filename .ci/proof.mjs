// All that .ci/run checks, and then what takes longer than a change should wait for: the tests that explore (properties, schedules, faults) once more with
// TIERCEL_PROOF=1, which makes them explore much further, every compiler of decorators, the public suite for HTTP caches, the whole bench, and ten soaks of a
// minute.
import { execFileSync, spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

step('run', 'bash', ['.ci/run'])
step('tests that explore', 'npm', ['test', '--', ...exploring()], { TIERCEL_PROOF: '1' })
step('compilers', 'node', ['.ci/compilers.mjs'])
step('conformance', 'npm', ['run', '-s', 'conformance'])
step('bench', 'npm', ['run', '-s', 'bench'])
for (const on of ['standalone', 'cluster']) {
  for (let round = 1; round <= 5; round++) step(`soak, ${on}, ${round} of 5`, 'npm', ['run', '-s', 'soak', '--', '--seconds', '60', '--on', on])
}

/** The tests that ask for TIERCEL_PROOF, or those beside a helper that does. */
function exploring() {
  const files = execFileSync('git', ['grep', '-l', 'TIERCEL_PROOF', '--', ':(glob)packages/*/test/**'], { cwd: root, encoding: 'utf8' }).trim().split('\n')
  return [...new Set(files.map((file) => (file.endsWith('.test.ts') ? file : `${dirname(file)}/`)))]
}

function step(name, command, args, env = {}) {
  const began = performance.now()
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } })
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(`=== proof: ${name}: ${status === 0 ? 'passed' : 'FAILED'} (${seconds} s)`)
  if (status !== 0) process.exit(status ?? 1)
}
