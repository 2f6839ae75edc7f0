import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { deviations } from '../../conformance/deviations.js'

it('names every deviation in the documentation, each with its reason', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../../docs/Reference/http-conformance.md'), 'utf8')
  const rows = page.split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name))

  expect(named.toSorted()).toEqual(deviations)
  for (const row of rows) expect(row.split('|')[3]?.trim()).toMatch(/^\S.{20,}/)
})
