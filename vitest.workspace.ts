import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { pagesAsTests } from './packages/core/test/docs/pages-as-tests.js'
import { lowerStandardDecorators } from './packages/decorators/test/lower-standard-decorators.js'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// A prefix matches too, so a subpath must come before the package it belongs to.
const sources = {
  '@tiercel/core/connection': at('packages/core/src/connection.ts'),
  '@tiercel/core/keyv': at('packages/core/src/keyv.ts'),
  '@tiercel/core/opentelemetry': at('packages/core/src/opentelemetry.ts'),
  '@tiercel/core/testing': at('packages/core/src/testing.ts'),
  '@tiercel/core': at('packages/core/src/index.ts'),
  '@tiercel/ai': at('packages/ai/src/index.ts'),
  '@tiercel/decorators': at('packages/decorators/src/index.ts'),
  '@tiercel/express': at('packages/express/src/index.ts'),
  '@tiercel/realtime': at('packages/realtime/src/index.ts'),
}

// A cache made without options uses REDIS_URL. Tests that want the developer's Redis ask for it by this name.
process.env.TIERCEL_TEST_REDIS_URL ??= process.env.REDIS_URL ?? ''
delete process.env.REDIS_URL

// What takes long by itself: outages, floods and crowds of processes, whole deployments, applications that are built first. `npm run test:long` runs it, and so
// does `.ci/run`; the proof runs all there is.
const long = [
  'packages/*/test/**/{outage,trouble,damage,flood,floods,lifetime,process,processes,shutdown}.test.ts',
  'packages/ai/test/fixture/*.test.ts',
  'packages/core/test/faults/*.test.ts',
  'packages/core/test/growth/*.test.ts',
  'packages/core/test/redis/deployments/*.test.ts',
  'packages/core/test/testing/redis-cluster.test.ts',
  'packages/core/test/upgrade/*.test.ts',
  'packages/demo/test/*.test.ts',
  'packages/realtime/test/faults/*.test.ts',
  'packages/realtime/test/locks/contention.test.ts',
  'packages/realtime/test/sessions/storage-manager.test.ts',
  'packages/realtime/test/socket-io/socket-io.test.ts',
]
// What replaces modules must not find them loaded, nor leave them to others.
const replacingModules = [
  'packages/ai/test/llm/redis/shared.test.ts',
  'packages/ai/test/service/environment.test.ts',
  'packages/ai/test/sharing/telling.test.ts',
  'packages/core/test/redis/clients/{secrets,server-connection}.test.ts',
  'packages/core/test/redis/protocol/schedules.test.ts',
]
const onlyLong = process.env.TIERCEL_LONG === '1'
const everything = process.env.TIERCEL_PROOF === '1'
const testsOf = (name: string, include: string[], exclude: string[] = []) => {
  if (everything) return { include, exclude }
  if (!onlyLong) return { include, exclude: [...long, ...replacingModules, ...exclude] }
  const own = `packages/${name}/`
  return { include: long.map((files) => files.replace('packages/*/', own)).filter((files) => files.startsWith(own)) }
}

const setupFiles = ['packages/decorators/test/set-up.ts']

export default defineConfig({
  resolve: { alias: sources },
  test: {
    dangerouslyIgnoreUnhandledErrors: false,
    silent: 'passed-only',
    // Most tests wait for Redis more than they compute.
    maxWorkers: 4,
    // What takes long has a process for each file. Other files of a project share some: what they import is loaded once in each, and compiled when the second one runs.
    isolate: onlyLong || everything,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // A machine that does much else is late, and not wrong.
    expect: { poll: { timeout: 10_000 } },
    projects: [
      { extends: true, test: { name: 'core', ...testsOf('core', ['packages/core/test/**/*.test.ts']) } },
      { extends: true, test: { name: 'ai', ...testsOf('ai', ['packages/ai/test/**/*.test.ts']) } },
      // One suite under both flavours of decorators, and what there is in one of them only.
      { extends: true, plugins: [lowerStandardDecorators], test: { name: 'decorators:standard', setupFiles, ...testsOf('decorators', ['packages/decorators/test/{behaviour,keys,standard}/**/*.test.ts']) } },
      {
        extends: true,
        oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
        test: { name: 'decorators:legacy', setupFiles, ...testsOf('decorators', ['packages/decorators/test/{behaviour,legacy}/**/*.test.ts']) },
      },
      { extends: true, test: { name: 'replacing modules', isolate: true, include: onlyLong || everything ? [] : replacingModules } },
      // The public suite has time limits of its own, and wants the machine for itself: `npm run conformance`.
      { extends: true, test: { name: 'express', ...testsOf('express', ['packages/express/test/**/*.test.ts'], ['packages/express/test/conformance/express-*.test.ts']) } },
      { extends: true, test: { name: 'realtime', ...testsOf('realtime', ['packages/realtime/test/**/*.test.ts']) } },
      { extends: true, plugins: [lowerStandardDecorators], test: { name: 'demo', ...testsOf('demo', ['packages/demo/test/**/*.test.ts']) } },
      { extends: true, test: { name: 'soak', ...testsOf('soak', ['packages/soak/test/**/*.test.ts']) } },
      { extends: true, plugins: [lowerStandardDecorators], test: { name: 'bench', ...testsOf('bench', ['packages/bench/test/**/*.test.ts']) } },
      {
        extends: true,
        plugins: [pagesAsTests(at('.'))],
        test: { name: 'docs', include: onlyLong ? [] : ['README.md', 'docs/**/*.md', 'packages/*/README.md'] },
      },
      {
        extends: true,
        test: {
          name: 'types',
          include: [],
          typecheck: { enabled: true, only: true, tsconfig: '.ci/tsconfig.types.json', include: onlyLong ? [] : ['packages/*/test/**/*.test-d.ts'] },
        },
      },
    ],
  },
})
