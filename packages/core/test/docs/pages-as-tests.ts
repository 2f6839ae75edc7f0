/**
 * Makes every page of the documentation a test file, so that what it shows is true. The pages are the README.md at the
 * top, docs/**\/*.md and packages/*\/README.md; their fenced blocks marked `ts` or `js` are the snippets.
 *
 * - The snippets of a page run in order, as one module: later ones see what earlier ones declare.
 * - `// => value` behind a statement, or alone on the next line, claims what the expression gives or what the declared
 *   name holds. The value is an expression, compared with `toEqual`; `{ hits: 1, ... }` compares only what it names.
 *   Behind `console.log(x)` the claim is about `x`.
 * - `// throws TIERCEL_CODE` behind an expression claims that it throws or rejects with that code.
 * - A block in an HTML comment runs and is not shown: for set-up that would bore the reader.
 *
 * Words behind `ts` or `js` in the info string:
 * - `separate`: a module of its own, with fixtures of its own
 * - `setup=db,cities`: names it takes from fixtures.ts; blocks that run as one module share them
 * - `redis`: the module it is part of runs with REDIS_URL set to a Redis of its own, and REDIS_COMMAND_TIMEOUT to ample time;
 *   skipped, loudly, where there is none
 * - `no-run="why"`: type-checked but not run
 * - `no-check="why"`: neither run nor type-checked
 *
 * Snippets may import what packages/core can import. Each is type-checked by snippets-compile.test.ts. A block whose
 * language has another name for these two (`typescript`, `mjs`, ...) is refused, because it would escape all this.
 */
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { transform } from 'esbuild'
import type { Plugin } from 'vitest/config'
import { withClaimsChecked } from './claims.js'
import { modulesToRun, type PageModule } from './page-modules.js'
import { snippetsOf } from './snippets.js'

const isPage = (id: string): boolean => /\.md(\?|$)/.test(id)

/** The plugin of the test project whose test files are the pages; `root` is the top of the repository. */
export function pagesAsTests(root: string): Plugin {
  const core = join(root, 'packages/core')

  return {
    name: 'pages-as-tests',
    enforce: 'pre',

    async resolveId(id, importer) {
      const bare = /^[@a-z]/i.test(id)
      return bare && importer !== undefined && isPage(importer) ? this.resolve(id, join(core, 'package.json'), { skipSelf: true }) : undefined
    },

    async load(id) {
      if (!isPage(id)) return undefined
      const [file = '', query] = id.split('?')
      const text = await readFile(file, 'utf8')
      const page = relative(root, file)
      const name = new URLSearchParams(query).get('snippets')
      if (name === null) return { code: testsOf(text, file, page, core), map: null }

      const module = modulesToRun(text).find((each) => each.name === name)
      if (!module) throw new Error(`${page} has no snippets called ${name}`)
      const { code, map } = await transform(runnable(module, page, join(core, 'test/docs')), {
        loader: 'ts',
        target: 'node20',
        sourcemap: true,
        sourcefile: file,
      })
      return { code, map: map === '' ? null : map }
    },
  }
}

function testsOf(text: string, file: string, page: string, core: string): string {
  const modules = modulesToRun(text)
  const runs = modules.map(({ name, title, redis }) => {
    const run = `() => import(${JSON.stringify(`${file}?snippets=${name}`)})`
    return redis
      ? `describeWithRedis(${JSON.stringify(page)}, () => { test(${JSON.stringify(title)}, () => withRedisUrl(${run})) })`
      : `test(${JSON.stringify(title)}, ${run})`
  })
  const rest = snippetsOf(text).flatMap(({ line, noRun, noCheck }) => {
    const why = noCheck ?? noRun
    return why === undefined ? [] : [`test.skip(${JSON.stringify(`${page}:${line} is not run: ${why}`)})`]
  })
  // A test file without a test is an error, and a page without snippets is none.
  const tests = runs.length + rest.length > 0 ? [...runs, ...rest] : [`test('shows no code', () => {})`]
  const redis = modules.some((module) => module.redis)
    ? [
        `import { describeWithRedis } from ${JSON.stringify(join(core, 'test/redis/server/index.ts'))}`,
        `import { withRedisUrl } from ${JSON.stringify(join(core, 'test/docs/redis-url.ts'))}`,
      ]
    : []
  // Each page is a program of its own: what a process has once, it has anew.
  return [`import { test, vi } from 'vitest'`, ...redis, 'vi.resetModules()', ...tests].join('\n')
}

/** Everything added goes to the first line, which is never code: a fence stands above each snippet. */
function runnable({ name, code, setup }: PageModule, page: string, folder: string): string {
  const fixtures = `import { ${setup.join(', ')} } from ${JSON.stringify(`${join(folder, 'fixtures.ts')}?for=${page}-${name}`)};`
  const checks = `import * as checks from ${JSON.stringify(join(folder, 'claim-checks.ts'))};`
  return (setup.length > 0 ? fixtures : '') + checks + withClaimsChecked(code, page)
}
