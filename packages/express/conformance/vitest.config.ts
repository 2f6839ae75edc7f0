import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import workspace from '../../../vitest.workspace.js'

/** `npm run conformance`: the public suite for HTTP caches against every combination, one after the other. */
export default defineConfig({
  ...(workspace.resolve === undefined ? {} : { resolve: workspace.resolve }),
  root: fileURLToPath(new URL('../../..', import.meta.url)),
  test: {
    include: ['packages/express/conformance/*.test.ts', 'packages/express/test/conformance/*.test.ts'],
    fileParallelism: false,
    reporters: ['dot'],
  },
})
