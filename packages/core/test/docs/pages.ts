import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The top of the repository. */
export const root = resolve(import.meta.dirname, '../../../..')

/** Every page of the documentation that exists, as a path from the top. */
export function pages(): string[] {
  const below = (folder: string): string[] =>
    existsSync(join(root, folder))
      ? readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      : []
  const readmes = readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`)
  return ['README.md', ...readmes, ...below('docs')].filter((page) => page.endsWith('.md') && existsSync(join(root, page))).toSorted()
}
