import { describe, expect, it, vi } from 'vitest'
import { survey } from '../../src/codec/index.js'
import { UncacheableValueError } from '../../src/errors/index.js'
import { exact, nested, plainer, refused } from './values.js'

function reasonOf(look: () => unknown): string {
  try {
    look()
  } catch (error) {
    if (error instanceof UncacheableValueError) return error.reason
    throw error
  }
  return 'none'
}

describe('a survey', () => {
  it.each(exact)('knows the form of %s', (_, value, form) => {
    expect(survey(value).form).toBe(form)
  })

  it.each(refused)('refuses %s', (_, make, reason) => {
    expect(reasonOf(() => survey(make()))).toBe(reason)
  })

  it.each(plainer)('accepts %s', (_, value) => {
    expect(survey(value).bytes).toBeGreaterThan(0)
  })

  it('lets class instances of plain data take the fast encoding', () => {
    class Row { id = 1 }
    expect(survey([new Row()]).form).toBe('json')
  })

  it('accepts values at the limit of depth', () => {
    expect(survey(nested(500)).form).toBe('json')
    expect(survey(nested(499, new Date(0))).form).toBe('rich')
  })

  it('accepts what is shared without going in circles', () => {
    const part = { a: 1 }
    expect(survey([part, part, { part }]).form).toBe('json')
    expect(survey([part, part, new Map([[part, part]])]).form).toBe('rich')
  })

  it('measures against the limits it is given', () => {
    const limits = { maxDepth: 2, maxBytes: 1000 }
    expect(reasonOf(() => survey(nested(3), limits))).toBe('too-deep')
    expect(reasonOf(() => survey('x'.repeat(1000), limits))).toBe('too-large')
    expect(survey(nested(2), limits).bytes).toBeLessThan(1000)
  })

  it('blames the depth when the call stack runs out, however deep the limit', () => {
    expect(reasonOf(() => survey(nested(200_000), { maxDepth: 1e9, maxBytes: 1e9 }))).toBe('too-deep')
  })

  it('works from a call stack that is nearly full', () => {
    const outcomes = new Set<string>()
    const value = nested(100, new Date(0))
    const descend = (): void => {
      try {
        descend()
      } catch {
        // The stack is full here; every level on the way back has a little more of it.
      }
      if (!outcomes.has('none')) outcomes.add(fromFullStack(value))
    }
    // By how much each level has more depends on how far V8 has come with optimizing it.
    for (let tries = 0; tries < 20 && !outcomes.has('too-deep'); tries++) {
      outcomes.delete('none')
      descend()
    }
    expect([...outcomes].filter((outcome) => outcome !== 'overflow').sort()).toEqual(['none', 'too-deep'])
  })

  it('says nothing of the value in its messages', () => {
    const value = { get password() { throw new Error('hunter2') } }
    for (const each of [value, { hunter2: () => 'hunter2' }]) {
      expect(() => survey(each)).toThrow(UncacheableValueError)
      expect(() => survey(each)).not.toThrow(/hunter2/)
    }
  })

  it('keeps the error of a getter as the cause', () => {
    const fault = new Error('from the getter')
    expect(() => survey({ get a() { throw fault } })).toThrow(expect.objectContaining({ cause: fault }) as Error)
  })

  it('runs no code of the value but getters and toJSON', () => {
    const touched = vi.fn()
    class Noisy extends Map<unknown, unknown> {
      override entries(): never { return touched() as never }
      override get(): never { return touched() as never }
      override [Symbol.iterator](): never { return touched() as never }
      override valueOf(): never { return touched() as never }
      override toString(): string { return touched() as never }
    }
    class NoisyDate extends Date {
      override getTime(): number { return touched() as never }
      override valueOf(): number { return touched() as never }
      override toISOString(): string { return touched() as never }
    }
    expect(survey([new Noisy([['a', new NoisyDate(1)]]), { valueOf: 1 }]).form).toBe('rich')
    expect(touched).not.toHaveBeenCalled()
  })

  it('can be made while another one reads a getter', () => {
    const value = { text: 'x'.repeat(500), get inner() { return survey('y'.repeat(900), { maxDepth: 5, maxBytes: 1000 }).bytes } }
    expect(survey(value, { maxDepth: 5, maxBytes: 1000 }).form).toBe('json')
  })

  it('estimates more for more', () => {
    const row = { id: 'u_1', name: 'Ada', age: 36 }
    const one = survey(row).bytes
    expect(survey([row, row, row]).bytes).toBeGreaterThan(3 * one)
    expect(survey('東'.repeat(1000)).bytes).toBeGreaterThan(2000)
    expect(survey('x'.repeat(1000)).bytes).toBeLessThan(1100)
    expect(survey(Buffer.alloc(5000)).bytes).toBeGreaterThanOrEqual(5000)
    expect(survey(2n ** 80_000n).bytes).toBeGreaterThanOrEqual(10_000)
  })
})

function fromFullStack(value: unknown): string {
  try {
    return reasonOf(() => survey(value))
  } catch {
    return 'overflow'
  }
}
