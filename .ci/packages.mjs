// What the checks of packed packages share: pack, install, run and say how long it took.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

/** Packs a package as it would be published; gives the tarball. */
export function pack(name, folder) {
  const listed = JSON.parse(output('npm', ['pack', '--json', '--loglevel=error', '--pack-destination', folder], join(root, 'packages', name)))
  const [{ filename, size, unpackedSize }] = listed
  console.log(`packed: ${filename}, ${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`)
  return join(folder, filename)
}

/** Makes a folder a project with these dependencies and tarballs, given by the names of their packages. */
export function install(folder, manifest, tarballs) {
  const packed = Object.fromEntries(Object.entries(tarballs).map(([name, tarball]) => [`@tiercel/${name}`, `file:${tarball}`]))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, dependencies: { ...manifest.dependencies, ...packed } }))
  const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', '--no-package-lock', '--loglevel=error']
  run('install', 'npm', ['install', ...quiet], folder)
}

export function run(what, command, args, cwd = root) {
  const began = performance.now()
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' } })
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  if (status !== 0) throw new Error(`${what} failed\n${error?.message ?? ''}${stdout}${stderr}`)
  console.log(`packed: ${what}: fine (${seconds} s)`)
  return stdout
}

export function output(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed\n${error?.message ?? ''}${stdout}${stderr}`)
  return stdout
}

export function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1)} KiB`
}
