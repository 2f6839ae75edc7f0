// This file defines suites for others, so it has names for titles and a condition around them.
/* oxlint-disable vitest/no-conditional-tests, vitest/valid-title, vitest/valid-describe-callback, vitest/no-disabled-tests, vitest/require-top-level-describe */
import { describe, expect, it, TestRunner } from 'vitest'
import { serverExecutable } from './executable.js'

const HOW = 'put redis-server or valkey-server on PATH (Debian: apt-get install redis-server; macOS: brew install redis)'

/**
 * A suite that starts Redis servers of its own. Where there is none to start it is skipped, and says so; with `CI=true`
 * it fails.
 */
export function describeWithRedis(name: string, define: () => void): void {
  if (serverExecutable() !== undefined) {
    describe(name, define)
  } else if (process.env.CI === 'true') {
    describe(name, () => {
      it('finds a Redis server', () => expect.fail(`there is none: ${HOW}`))
    })
  } else {
    describe.skip(name, () => {
      define()
      const suite = TestRunner.getCurrentSuite()
      setImmediate(() => process.stderr.write(`\nSKIPPED ${countTests(suite)} tests of "${name}": no Redis server found. To run them, ${HOW}.\n`))
    })
  }
}

type Suite = ReturnType<typeof TestRunner.getCurrentSuite>

function countTests(suite: Suite): number {
  let count = 0
  for (const task of suite.tasks) count += task.type === 'test' ? 1 : 'collect' in task ? countTests(task) : 0
  return count
}
