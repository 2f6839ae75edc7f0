import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { modulesToCheck } from './page-modules.js'
import { pages, root } from './pages.js'
import { snippetsOf } from './snippets.js'

const compiler = join(createRequire(join(root, 'package.json')).resolve('typescript/package.json'), '../bin/tsc')

/** What the compiler says about snippets, with pages and their lines in place of files. */
async function complaints(texts: ReadonlyMap<string, string>): Promise<string> {
  // Below packages/core, because snippets may import what that package can.
  const parent = join(root, 'packages/core/node_modules/.cache')
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'snippets-'))
  try {
    const names = new Map<string, string>()
    for (const [page, text] of texts) {
      for (const { name, code, language, setup } of modulesToCheck(text)) {
        const file = `${page.replaceAll('/', '__')}.${name}.${language}`
        names.set(file, page)
        const fixtures = setup.length > 0 ? `import { ${setup.join(', ')} } from '${join(root, 'packages/core/test/docs/fixtures.js')}';` : 'export {};'
        await writeFile(join(folder, file), fixtures + code)
      }
    }
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: join(root, '.ci/tsconfig.json'),
        compilerOptions: { allowJs: true, verbatimModuleSyntax: false, typeRoots: [join(root, 'node_modules/@types')] },
        include: [],
        files: [...names.keys()],
      }),
    )
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: folder }).catch(
      (failed: { stdout: string }) => failed,
    )
    return stdout.replaceAll(/^(?:.*\/)?([^\s/(]+)\((\d+),\d+\)/gm, (all, file: string, line: string) => (names.has(file) ? `${names.get(file)}:${line}` : all))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('every snippet of every page satisfies the compiler', async () => {
  const texts = new Map(pages().map((page) => [page, readFileSync(join(root, page), 'utf8')]))

  const snippets = [...texts].flatMap(([page, text]) => snippetsOf(text).map((snippet) => ({ ...snippet, page })))
  const excused = snippets.filter(({ noRun, noCheck }) => noRun ?? noCheck)
  process.stdout.write(`docs: ${snippets.length} snippets on ${texts.size} pages, ${excused.length} of them not run\n`)
  for (const { page, line, noRun, noCheck } of excused) process.stdout.write(`  ${page}:${line} ${noCheck ?? noRun}\n`)

  expect(await complaints(texts)).toBe('')
})

test('a snippet with a wrong type is reported by its page and line', async () => {
  const page = ['# Page', '', '```ts setup=db', 'export const fine = await db.user("1")', 'export const wrong: number = fine?.name', '```'].join('\n')

  expect(await complaints(new Map([['docs/page.md', page]]))).toMatch(/^docs\/page\.md:5: error TS2322/)
})
