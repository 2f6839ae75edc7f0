import { expect, test } from 'vitest'
import { code, value } from './claim-checks.js'

test('a value that is not the one claimed fails, and says where', () => {
  expect(() => value(1, () => 2, false, 'docs/page.md:7')).toThrow('docs/page.md:7')
  expect(() => value(Promise.resolve(1), () => 1, false, 'docs/page.md:7')).toThrow()
  value(new Map([['a', 1]]), () => new Map([['a', 1]]), false, 'docs/page.md:7')
})

test('a partial claim looks only at what it names', () => {
  value({ hits: 1, misses: 2 }, () => ({ hits: 1 }), true, 'docs/page.md:7')
  expect(() => value({ hits: 1 }, () => ({ hits: 2 }), true, 'docs/page.md:7')).toThrow('docs/page.md:7')
})

test('a failure must carry the code claimed', async () => {
  const failing = (carried: string) => () => Promise.reject(Object.assign(new Error('refused'), { code: carried }))

  await code(failing('TIERCEL_CLOSED'), 'TIERCEL_CLOSED', 'docs/page.md:7')
  await expect(code(failing('TIERCEL_OTHER'), 'TIERCEL_CLOSED', 'docs/page.md:7')).rejects.toThrow('docs/page.md:7')
  await expect(code(() => Promise.resolve(), 'TIERCEL_CLOSED', 'docs/page.md:7')).rejects.toThrow('docs/page.md:7')
})
