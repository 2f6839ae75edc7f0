// Installs the dependencies when the lock file is not the one that was installed last; else costs nothing, also offline.
import { execSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

const read = (path) => {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}

const wanted = read('pnpm-lock.yaml')
if (wanted === undefined || wanted !== read('node_modules/.pnpm/lock.yaml')) {
  execSync('npx --yes pnpm@12.21.0 install --frozen-lockfile', { cwd: root, stdio: 'inherit' })
}
