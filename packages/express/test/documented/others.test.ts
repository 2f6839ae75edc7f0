import { expect, it } from 'vitest'
import { onBothVersions } from '../safety/versions.js'
import { serveSnippets } from './snippets.js'

onBothVersions((express) => {
  it('does what the package says of itself: packages/express/README.md', async () => {
    let runs = 0
    const site = await serveSnippets(express, 'packages/express/README.md', {
      show: (_req: unknown, res: { send(body: string): void }) => res.send(`run ${++runs}`),
      rename: (_req: unknown, res: { sendStatus(status: number): void }) => res.sendStatus(204),
    })
    for (let visit = 0; visit < 2; visit++) expect((await site.get('/trips/1')).body).toBe('run 1')
    await site.send('/trips/1', { method: 'PUT' })

    expect((await site.get('/trips/1')).body).toBe('run 2')
  })

  it('does what the guide says: docs/Guides/figures-for-operators.md', async () => {
    const site = await serveSnippets(express, 'docs/Guides/figures-for-operators.md', {})
    expect((await site.get('/operator/stats')).status).toBe(403)
  })
})
