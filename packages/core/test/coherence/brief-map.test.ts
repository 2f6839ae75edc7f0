import { expect, it } from 'vitest'
import { BriefMap } from '../../src/coherence/index.js'

it('keeps what is in it, in order, however much comes and goes beside it', () => {
  const map = new BriefMap<string, number>()
  map.set('first', 1)
  for (let i = 0; i < 2000; i++) {
    map.set(`brief:${i}`, i)
    if (i % 500 === 0) map.set(`kept:${i}`, i)
    expect(map.get(`brief:${i}`)).toBe(i)
    map.delete(`brief:${i}`)
    map.delete('no such key')
  }
  expect([...map.keys()]).toEqual(['first', 'kept:0', 'kept:500', 'kept:1000', 'kept:1500'])
  expect(map.size).toBe(5)
  expect(map.get('first')).toBe(1)
  expect(map.get('brief:7')).toBeUndefined()
})
