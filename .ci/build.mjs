// Builds what the arguments name, else every package: `tsc -b`, then the one file of the CommonJS half that tsc cannot
// make. superjson is an ES module, so requiring it fails wherever `require` of those does (jest, older bundlers, Node
// with --no-experimental-require-module): there the file that imports it becomes a bundle.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const core = join(root, 'packages/core')
const importer = 'src/codec/superjson.ts'
const bundle = join(core, 'dist/cjs/codec/superjson.js')

for (const name of ['core', 'decorators', 'express', 'realtime']) for (const half of ['esm', 'cjs']) removeOrphans(join(root, 'packages', name), join('dist', half))

const tsc = join(root, 'node_modules/typescript/bin/tsc')
const { status } = spawnSync(process.execPath, [tsc, '-b', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' })
if (existsSync(join(core, importer))) await bundleSuperjson()
process.exitCode = status ?? 1

/** tsc leaves the output of sources that are gone, and it would be published. */
function removeOrphans(home, half) {
  const dist = join(home, half)
  if (!existsSync(dist)) return
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const stem = /^(.*?)\.(?:d\.ts|js)(?:\.map)?$/.exec(name)?.[1]
    if (stem !== undefined && !existsSync(join(home, 'src', `${stem}.ts`))) rmSync(join(dist, name))
  }
}

/** Made from the source, not from what tsc emitted, so that it comes out the same whether tsc had anything to do or not. */
async function bundleSuperjson() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: core,
    entryPoints: [importer],
    outfile: bundle,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'linked',
  })
  const inputs = Object.keys(metafile.inputs)
  const second = inputs.find((input) => input !== importer && !input.includes('node_modules/'))
  if (second !== undefined) throw new Error(`${importer} imports ${second}: the bundle would hold a second copy of it`)

  const packages = [...new Set(inputs.filter((input) => input !== importer).map((input) => packageOf(join(core, input))))]
  const notices = packages.map(notice)
  for (const { path, text } of outputFiles) {
    write(path, path.endsWith('.map') ? sourceMap(text, notices.join('')) : notices.join('') + withoutPlaces(text))
  }
}

/** The folder of the package a file belongs to. */
function packageOf(file) {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return folder
}

/** The licence of a bundled package, which asks to stay with every copy. */
function notice(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  if (licence === undefined) throw new Error(`${name} has no licence file to go with the bundle`)
  const lines = readFileSync(join(folder, licence), 'utf8').trim().split(/\r?\n/)
  return `/*! Bundled: ${name} ${version}\n${lines.map((line) => ` * ${line}`.trimEnd()).join('\n')}\n */\n`
}

/** esbuild heads each part with the file it read, which for a package says how the package manager lays out its folders. */
function withoutPlaces(code) {
  return code.replaceAll(/^\/\/ \S*node_modules\/(?=\S+$)/gm, '// ')
}

/** Our source as tsc would name it, and a package's by its name and version instead of where it was installed. */
function sourceMap(text, notices) {
  const map = JSON.parse(text)
  map.sources = map.sources.map((source) => {
    const file = resolve(dirname(bundle), source)
    if (!file.includes('/node_modules/')) return source
    const folder = packageOf(file)
    const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return `npm:${name}@${version}/${relative(folder, file)}`
  })
  map.mappings = ';'.repeat(notices.split('\n').length - 1) + map.mappings
  return JSON.stringify(map)
}

/** In one step and only on change: somebody else may be loading the file. */
function write(path, text) {
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
