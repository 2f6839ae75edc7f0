// Runs the projects below packages/decorators/fixtures with the packed packages: what each compiler makes of decorators, under both
// flavours, and NestJS. Arguments name the projects; without any it is all of them.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install, pack, root, run } from './packages.mjs'

const fixtures = join(root, 'packages/decorators/fixtures')
const named = process.argv.slice(2)
const names = named.length > 0 ? named : readdirSync(join(fixtures, 'projects'))
const folder = mkdtempSync(join(tmpdir(), 'tiercel-compilers-'))

try {
  const projects = names.map((name) => ({ name, manifest: JSON.parse(readFileSync(join(fixtures, 'projects', name, 'package.json'), 'utf8')) }))
  // All share one installation, for time; none of them wants another version than the others.
  const dependencies = Object.assign({}, ...projects.map(({ manifest }) => manifest.dependencies))
  const tarballs = Object.fromEntries(['core', 'decorators'].map((name) => [name, pack(name, folder)]))
  install(folder, { private: true, dependencies }, tarballs)

  let failed = 0
  for (const { name } of projects) {
    const project = join(folder, 'projects', name)
    mkdirSync(project, { recursive: true })
    cpSync(join(fixtures, 'projects', name), project, { recursive: true })
    if (!existsSync(join(project, 'src'))) cpSync(join(fixtures, 'program'), join(project, 'src'), { recursive: true })
    try {
      const said = run(name, 'npm', ['run', '-s', 'start'], project).trim()
      if (said !== '') console.log(said.replaceAll(/^/gm, '  '))
    } catch (error) {
      failed++
      console.error(`packed: ${error.message}`)
    }
  }
  if (failed > 0) throw new Error(`${failed} of ${projects.length} projects failed`)
  console.log('packed: all projects run')
} catch (error) {
  console.error(`packed: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
