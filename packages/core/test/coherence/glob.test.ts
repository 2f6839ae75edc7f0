import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globMatcher } from '../../src/coherence/index.js'

/** Says the same as `globMatcher` by trying everything: readable, and exponential. */
function naive(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  const [first, rest] = [pattern[0], pattern.slice(1)]
  if (first === '*') return naive(rest, text) || (text !== '' && naive(pattern, text.slice(1)))
  if (first === '[') {
    const [accepts, after] = naiveClass(rest)
    return text !== '' && accepts(text[0] as string) && naive(after, text.slice(1))
  }
  if (text === '') return false
  if (first === '?') return naive(rest, text.slice(1))
  if (first === '\\' && rest !== '') return rest[0] === text[0] && naive(rest.slice(1), text.slice(1))
  return first === text[0] && naive(rest, text.slice(1))
}

function naiveClass(pattern: string): [(char: string) => boolean, string] {
  const negated = pattern.startsWith('^')
  let left = negated ? pattern.slice(1) : pattern
  const members: ((char: string) => boolean)[] = []
  while (!left.startsWith(']')) {
    if (left === '') throw new Error('a class without end')
    if (left.startsWith('\\') && left.length > 1) left = left.slice(1)
    const from = left[0] as string
    if (left[1] === '-' && left[2] !== undefined && left[2] !== ']') {
      const [low, high] = [from, left[2]].sort()
      members.push((char) => char >= (low as string) && char <= (high as string))
      left = left.slice(3)
    } else {
      members.push((char) => char === from)
      left = left.slice(1)
    }
  }
  return [(char) => members.some((accepts) => accepts(char)) !== negated, left.slice(1)]
}

const isWhole = (pattern: string) => {
  try {
    naive(`${pattern}`, '')
    globMatcher(pattern)
    return true
  } catch {
    return false
  }
}

/** A text that counts how often one of its characters is looked at. */
function counted(text: string): { text: string; looks: () => number } {
  let looks = 0
  const counting = {
    length: text.length,
    charCodeAt(at: number) {
      looks++
      return text.charCodeAt(at)
    },
  }
  return { text: counting as unknown as string, looks: () => looks }
}

describe('globs', () => {
  it('match what trying everything matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*', '?', '[', ']', '^', '-', '\\'), minLength: 1, maxLength: 9 }).filter(isWhole)
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*', '[', ']', '-', '\\', '^'), maxLength: 7 })
    fc.assert(
      fc.property(pattern, text, (glob, key) => {
        expect(globMatcher(glob)(key)).toBe(naive(glob, key))
      }),
      { numRuns: 5000 },
    )
  })

  it('match any key by its own characters, taken literally', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), fc.string({ maxLength: 5 }), (key, more) => {
        const matches = globMatcher(key.replaceAll(/[*?[\\]/g, String.raw`\$&`))
        expect(matches(key)).toBe(true)
        expect(matches(key + more)).toBe(more === '')
      }),
    )
  })

  it.each([
    ['*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000)],
    [`${'*a'.repeat(500)}*b`, 'a'.repeat(2000)],
    [`${'*?'.repeat(500)}b`, 'a'.repeat(2000)],
    [`*${'a'.repeat(1000)}b`, 'a'.repeat(2000)],
    ['*'.repeat(1000), 'a'.repeat(65_536)],
    [`${'*[^b]'.repeat(150)}b`, 'a'.repeat(2000)],
  ])('look at no more than each character of the key once for each of the pattern: %s', (pattern, text) => {
    const key = counted(text)
    globMatcher(pattern)(key.text)
    expect(key.looks()).toBeLessThanOrEqual(pattern.length * text.length)
  })

  it('take no time at all for a pattern that matches everything', () => {
    const key = counted('a'.repeat(65_536))
    expect(globMatcher('***')(key.text)).toBe(true)
    expect(key.looks()).toBe(0)
  })

  it('take 1024 characters and no more, and no class without its end', () => {
    expect(globMatcher('a'.repeat(1024))('a'.repeat(1024))).toBe(true)
    for (const pattern of ['', 'a'.repeat(1025), '[', '[a-', '[\\]', 'a[b']) {
      expect(() => globMatcher(pattern)).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_TARGET' }))
    }
  })

  it('match nothing by an empty class, and any one character by its opposite', () => {
    expect([globMatcher('[]')(''), globMatcher('[]')('a')]).toEqual([false, false])
    expect([globMatcher('[^]')(''), globMatcher('[^]')('a'), globMatcher('[^]')('ab')]).toEqual([false, true, false])
  })

  it('take a backslash at the very end for itself', () => {
    expect(globMatcher('a\\')('a\\')).toBe(true)
    expect(globMatcher('a\\')('a')).toBe(false)
  })
})
