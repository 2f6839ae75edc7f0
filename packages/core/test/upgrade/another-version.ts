import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** One constant of the sources, as another release would have it. */
export interface Difference {
  readonly file: string
  readonly from: string
  readonly to: string
}

export interface Release {
  /** The file a process imports it from. */
  readonly url: string
  remove(): Promise<void>
}

/** This package as it would be in another release, for processes of their own. */
export async function release(differences: readonly Difference[]): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), 'tiercel-release-'))
  const outfile = join(folder, 'core.mjs')
  const sources = fileURLToPath(new URL('../../src/', import.meta.url))
  const changed = new Map<string, string>()
  for (const { file, from, to } of differences) {
    const path = join(sources, file)
    const source = changed.get(path) ?? (await readFile(path, 'utf8'))
    if (!source.includes(from)) throw new Error(`${file} does not have ${from}`)
    changed.set(path, source.replace(from, to))
  }
  await build({
    entryPoints: [join(sources, 'index.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    // What is bundled is of CommonJS in part.
    banner: { js: "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)" },
    plugins: [{ name: 'another release', setup: ({ onLoad }) => onLoad({ filter: /\.ts$/ }, ({ path }) => (changed.has(path) ? { contents: changed.get(path) ?? '', loader: 'ts' } : undefined)) }],
  })
  return { url: pathToFileURL(outfile).href, remove: () => rm(folder, { recursive: true, force: true }) }
}
