import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createCache } from '@tiercel/core'
import { accelerate, cacheResponses, invalidateResponses, operatorRouter } from '@tiercel/express'
import { transformSync } from 'esbuild'
import { onTestFinished } from 'vitest'
import { serve, type Site } from '../safety/site.js'
import type { ExpressModule } from '../safety/versions.js'

/** Serves the application that the snippets of a page make, one after the other, with what they take for granted. */
export async function serveSnippets(express: ExpressModule, page: string, given: Readonly<Record<string, unknown>>): Promise<Site> {
  const cache = createCache({ redis: false })
  onTestFinished(() => cache.close())
  const app = express()
  app.set('env', 'test')
  const names = { express: Object.assign(() => app, { json: express.json }), createCache: () => cache, accelerate, cacheResponses, invalidateResponses, operatorRouter, ...given }
  new Function(...Object.keys(names), snippetsOf(page))(...Object.values(names))
  return { ...(await serve(app)), cache }
}

/** Those that use Express, without their imports. */
function snippetsOf(page: string): string {
  const text = readFileSync(resolve(import.meta.dirname, '../../../..', page), 'utf8')
  const blocks = [...text.matchAll(/^```ts no-check="snippets are checked where Express is not installed"\n(.*?)^```$/gms)].map(([, code = '']) => code)
  return transformSync(blocks.join('\n').replaceAll(/^import .*$/gm, ''), { loader: 'ts' }).code
}
