import { InvalidArgumentError } from '@tiercel/core'
import { assert, jsonValue, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonical } from '../../../src/llm/canonical.js'
import { ToolCallIds } from '../../../src/llm/tool-call-ids.js'

describe('the canonical form of a request', () => {
  it('does not depend on the order of fields, nor on fields that are undefined', () => {
    expect(canonical({ b: 1, a: { d: [1], c: undefined } })).toBe(canonical({ a: { d: [1] }, b: 1 }))
  })

  it('is JSON for what is JSON', () => {
    assert(
      property(jsonValue({ maxDepth: 3 }), (value) => {
        // JSON has no -0.
        const known: unknown = JSON.parse(JSON.stringify(value))
        expect(JSON.parse(canonical(known))).toEqual(known)
      }),
      { numRuns: 30 },
    )
  })

  it('tells apart what JSON does not', () => {
    const values = [0, -0, Number.NaN, Infinity, -Infinity, null, undefined, 1n, 1, '1', '1n', 'NaN', [], [undefined], [null], {}, { a: null }, '\ud800', '\ud801', '\ufffd']
    expect(new Set(values.map((value) => canonical([value]))).size).toBe(values.length)
  })

  it('has bytes by their content, wherever they lie', () => {
    const image = Buffer.from('image')
    expect(canonical({ image })).toBe(canonical({ image: new Uint8Array(image) }))
    expect(canonical({ image })).toBe(canonical({ image: new Uint8Array([0, ...image, 0]).subarray(1, -1) }))
    expect(canonical({ image })).not.toBe(canonical({ image: Buffer.from('imagf') }))
    expect(canonical({ image: new Uint8Array(4) })).not.toBe(canonical({ image: new Float32Array(1) }))
    expect(canonical(image)).not.toContain('image')
  })

  it('has dates and URLs as they are sent', () => {
    expect(canonical([new Date(0), new URL('https://x.test')])).toBe('["1970-01-01T00:00:00.000Z","https://x.test/"]')
  })

  it('renames ids of tool calls by position, and keeps results with their calls', () => {
    const conversation = (first: string, second: string, results: readonly string[]) => {
      const ids = new ToolCallIds()
      return canonical([
        { role: 'assistant', calls: [ids.at(first), ids.at(second)] },
        ...results.map((id, i) => ({ role: 'tool', id: ids.of(id), content: i })),
      ])
    }
    expect(conversation('call_a', 'call_b', ['call_a', 'call_b'])).toBe(conversation('x', 'y', ['x', 'y']))
    // Swapped parallel tool results are another conversation.
    expect(conversation('call_a', 'call_b', ['call_a', 'call_b'])).not.toBe(conversation('call_a', 'call_b', ['call_b', 'call_a']))
    // Also when the calls themselves are with the provider.
    expect(conversation('call_a', 'call_b', ['call_c', 'call_d'])).not.toBe(conversation('call_a', 'call_b', ['call_d', 'call_c']))
  })

  it('has no text that passes for something else', () => {
    for (const value of [undefined, -0, Number.NaN, 1n, Buffer.from('x'), new ToolCallIds().at('x'), '\0x']) {
      const [text] = JSON.parse(canonical([value])) as [string]
      expect(canonical([text]), text).not.toBe(canonical([value]))
    }
  })

  it('keeps fields with the names of numbers and of prototypes apart', () => {
    const parsed = (json: string): unknown => JSON.parse(json)
    expect(canonical(parsed('{"b":1,"__proto__":{"x":1},"10":1,"9":2}'))).toBe(canonical(parsed('{"9":2,"10":1,"__proto__":{"x":1},"b":1}')))
    expect(canonical(parsed('{"b":1,"__proto__":{"x":1}}'))).not.toBe(canonical(parsed('{"b":1,"__proto__":{"x":2}}')))
    expect(canonical(parsed('{"b":1,"__proto__":{"x":1}}'))).not.toBe(canonical({ b: 1 }))
  })

  it('refuses what has no identity', () => {
    const cycle: Record<string, unknown> = {}
    cycle.self = [cycle, cycle]
    class Client {
      model = 'x'
    }
    for (const value of [cycle, () => 1, Symbol('x'), new Map(), new Client(), new Date(Number.NaN), Promise.resolve(), new Error('x')]) {
      expect(() => canonical({ value })).toThrow(InvalidArgumentError)
    }
  })

  it('says nothing of the text it refuses', () => {
    expect(() => canonical({ secret: ['hunter2', () => 'hunter2'] })).toThrow(/^(?!.*(hunter2|secret))/)
  })
})
