import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const bundled = () => {
  const entry = fileURLToPath(new URL('../../src/testing/index.ts', import.meta.url))
  return build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', write: false, metafile: true, packages: 'external' })
}

/** What the testing tools import from outside of this package. */
export async function importsOfTesting(): Promise<string[]> {
  const { metafile } = await bundled()
  return Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path))
}

/** The testing tools as one module that a plain Node can import. */
export async function builtTesting(): Promise<string> {
  const { outputFiles } = await bundled()
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents ?? '').toString('base64')}`
}

export interface Program {
  readonly child: ChildProcess
  /** The next line that it prints. */
  line(): Promise<string>
  readonly ended: Promise<number | null>
}

/** Runs a program with what the testing tools export in `testing`. */
export function runProgram(built: string, program: string): Program {
  // The tools come by standard input: a data URL of this size is too long for an argument.
  const source = `import { readFileSync } from 'node:fs'\nconst testing = await import(readFileSync(0, 'utf8'))\n${program}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  child.stdin.end(built)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return {
    child,
    line: async () => String((await lines.next()).value),
    ended: once(child, 'exit').then(([code]) => code as number | null),
  }
}
