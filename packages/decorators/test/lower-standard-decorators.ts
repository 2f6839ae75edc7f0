import { transform } from 'esbuild'
import type { Plugin } from 'vitest/config'

/** Makes standard decorators into what Node 20 can parse: the compiler in vite passes them through. */
export const lowerStandardDecorators: Plugin = {
  name: 'lower-standard-decorators',
  enforce: 'pre',

  async transform(code, id) {
    const [file = ''] = id.split('?')
    if (!file.endsWith('.ts') || !/^\s*@[A-Z]/m.test(code)) return undefined
    const { code: lowered, map } = await transform(code, { loader: 'ts', target: 'node20', sourcemap: true, sourcefile: file, keepNames: true })
    return { code: lowered, map }
  },
}
