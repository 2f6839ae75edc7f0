import { expect, it } from 'vitest'
import type { Change } from '../../src/coherence/index.js'
import { Journal } from '../../src/coherence/journal.js'

const change = (mode: Change['mode'], path: string, names: Partial<Pick<Change, 'keys' | 'labels' | 'pattern'>>): Change => ({ mode, path, keys: [], labels: [], pattern: undefined, ...names })

async function toldBy(journal: Journal): Promise<Change[]> {
  const told: Change[] = []
  await journal.replay(async (made) => void told.push(made), 'root')
  return told
}

it('tells what was written down in turns of several namespaces with one change for each, however many there were', async () => {
  const journal = new Journal()
  for (let i = 0; i < 50; i++) {
    journal.add(change('invalidate', 'one', { keys: [`k${i}`] }), 'root')
    journal.add(change('expire', 'other', { labels: [`t${i}`] }), 'root')
  }
  journal.add(change('invalidate', 'one', { pattern: 'a*' }), 'root')
  const told = await toldBy(journal)
  expect(told.map(({ mode, path, keys, labels, pattern }) => [mode, path, keys.length, labels.length, pattern])).toEqual([
    ['invalidate', 'one', 50, 0, undefined],
    ['expire', 'other', 0, 50, undefined],
    ['invalidate', 'one', 0, 0, 'a*'],
  ])
  expect(journal.size).toBe(0)
})

it('tells no more than a script can take at once', async () => {
  const journal = new Journal()
  journal.add(change('invalidate', 'one', { keys: Array.from({ length: 1000 }, (_, i) => `k${i}`) }), 'root')
  expect((await toldBy(journal)).map(({ keys }) => keys.length)).toEqual([256, 256, 256, 232])
})

it('keeps what could not be told, and lets no expiry weaken an invalidation', async () => {
  const journal = new Journal()
  journal.add(change('invalidate', 'one', { keys: ['k'] }), 'root')
  journal.add(change('expire', 'one', { keys: ['k', 'l'] }), 'root')
  await expect(journal.replay(() => Promise.reject(new Error('away')), 'root')).rejects.toThrow('away')
  expect(journal.size).toBe(2)
  expect(await toldBy(journal)).toEqual([change('invalidate', 'one', { keys: ['k'] }), change('expire', 'one', { keys: ['l'] })])
})
