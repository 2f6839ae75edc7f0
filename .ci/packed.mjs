// Checks the packages as their users get them: packs them, has the tarballs judged by publint and attw, looks through what is
// in them, and runs them in projects of the kinds that break packages. All consumers share one installation, for time.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install, kilobytes, output, pack, root, run } from './packages.mjs'

const folder = mkdtempSync(join(tmpdir(), 'tiercel-packed-'))

try {
  const tarballs = {}
  for (const name of ['core', 'decorators', 'express', 'realtime']) {
    tarballs[name] = pack(name, folder)
    judge(tarballs[name])
    inspect(name, tarballs[name])
  }
  consume(tarballs)
  console.log('packed: all checks passed')
} catch (error) {
  console.error(`packed: ${error.message}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** attw looks at every entry point, in all four kinds of resolution from node10 on. */
function judge(tarball) {
  run('publint --strict', join(root, 'node_modules/.bin/publint'), ['run', tarball, '--strict'])
  run('attw', join(root, 'node_modules/.bin/attw'), [tarball, '--format', 'ascii', '--no-emoji'])
}

function inspect(packageName, tarball) {
  const unpacked = join(folder, 'unpacked', packageName)
  mkdirSync(unpacked, { recursive: true })
  output('tar', ['-xzf', tarball, '-C', unpacked], folder)

  const files = readdirSync(unpacked, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(unpacked, name)).isFile())
    .map((name) => ({ name: name.replaceAll('\\', '/').replace(/^package\//, ''), path: join(unpacked, name) }))
  const problems = []
  for (const { name, path } of files) {
    if (/(^|\/)(test|fixtures)\/|\.test\.|\.test-d\.|\.tsbuildinfo$/.test(name)) problems.push(`${name} is no part of what users need`)
    const text = readFileSync(path, 'utf8')
    if (text.includes(root) || text.includes('node_modules/.pnpm')) problems.push(`${name} holds a path of this machine`)
    const map = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(text)?.[1]
    const mapped = map && name.replace(/[^/]*$/, map)
    if (mapped && !files.some((file) => file.name === mapped)) problems.push(`${name} names a map that is not there`)
  }
  for (const needed of ['LICENSE', 'README.md', 'dist/cjs/package.json']) {
    if (!files.some(({ name }) => name === needed)) problems.push(`${needed} is missing`)
  }
  const weight = (pattern) => kilobytes(files.filter(({ name }) => pattern.test(name)).reduce((sum, { path }) => sum + statSync(path).size, 0))
  console.log(`packed: dist is ${weight(/^dist\//)}, of which ES modules ${weight(/^dist\/esm\/.*\.js$/)}, CommonJS ${weight(/^dist\/cjs\/.*\.js$/)}`)
  if (problems.length > 0) throw new Error(`what is packed is wrong:\n  ${problems.join('\n  ')}`)
}

function consume(tarballs) {
  const consumers = join(folder, 'consumers')
  cpSync(join(import.meta.dirname, 'consumers'), consumers, { recursive: true })
  // The same program once more as an ES module.
  cpSync(join(consumers, 'consumer.ts'), join(consumers, 'consumer.mts'))
  install(consumers, JSON.parse(readFileSync(join(consumers, 'package.json'), 'utf8')), tarballs)

  const node = (what, ...args) => run(what, process.execPath, args, consumers)
  node('Node, require', 'require.cjs')
  node('Node, require without its support of ES modules', '--no-experimental-require-module', 'require.cjs')
  node('Node, import', 'import.mjs')
  node('Node, both in one process', 'both.mjs')
  node('jest, CommonJS', 'node_modules/jest/bin/jest.js', '--ci', '--silent=false')
  node('TypeScript 7, nodenext', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.nodenext.json')
  node('TypeScript 7, bundler', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.bundler.json')
  node('TypeScript 5.9, node16', 'node_modules/ts59/bin/tsc', '-p', 'tsconfig.node16.json')
  node('TypeScript 5.9, node10, CommonJS', 'node_modules/ts59/bin/tsc', '-p', 'tsconfig.node10.json')
  node('TypeScript 5.0, node10, CommonJS', 'node_modules/ts50/bin/tsc', '-p', 'tsconfig.ts50.json')
}
