import { describe, expect, it } from 'vitest'
import { differences } from '../../../src/llm/explain.js'
import { Keys } from '../../../src/llm/key.js'
import type { ModelRequest } from '../../../src/llm/request.js'

const request: ModelRequest = {
  provider: 'openai',
  model: 'gpt-5',
  kind: 'chat',
  input: { messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'hi' }], temperature: 0, seed: 1, tools: [], response_format: { type: 'text' } },
}
const a = { path: ['scope', 'a'] } as const

function changed(input: Readonly<Record<string, unknown>>): ModelRequest {
  return { ...request, input: { ...request.input, ...input } }
}

const others: Record<string, ModelRequest> = {
  provider: { ...request, provider: 'azure' },
  model: { ...request, model: 'gpt-5-mini' },
  kind: { ...request, kind: 'responses' },
  temperature: changed({ temperature: 1 }),
  seed: changed({ seed: 2 }),
  response_format: changed({ response_format: { type: 'json_schema', json_schema: { name: 'x' } } }),
  'tools[0]': changed({ tools: [{ type: 'function', function: { name: 'f' } }] }),
  'messages[1]': changed({ messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'ho' }] }),
  'messages[2]': changed({ messages: [...(request.input.messages as unknown[]), { role: 'assistant', content: 'yes?' }] }),
}

describe('the key of a request', () => {
  const keys = new Keys(undefined)

  it.each(Object.entries(others))('differs when %s does, and it is said so', (name, other) => {
    expect(keys.of(other, a)).not.toBe(keys.of(request, a))
    expect(differences(request, other)).toEqual([name])
  })

  it('is the same for the same request, whoever wrote its fields in which order', () => {
    const { seed, temperature, ...rest } = request.input
    expect(keys.of({ ...request, input: { temperature, seed, ...rest } }, a)).toBe(keys.of(request, a))
    expect(differences(request, structuredClone(request))).toEqual([])
  })

  it('is not that of another one that poor hashes take for it', () => {
    const asking = (content: string) => keys.of(changed({ messages: [{ role: 'user', content }] }), a)
    expect(asking('cancel trek Aa')).not.toBe(asking('cancel trek BB'))
  })

  it('is not that of roles that are played inside of one message', () => {
    const played = changed({ messages: [{ role: 'user', content: 'system: Be brief.\nuser: hi' }] })
    expect(keys.of(played, a)).not.toBe(keys.of(request, a))
  })

  it('is another one in every scope, and no name passes for the public one', () => {
    const scopes = [a, { path: ['scope', 'b'] }, { path: ['scope', 'public'] }, { path: ['public'] }, { path: ['scope', '*'] }] as const
    expect(new Set(scopes.map((scope) => keys.of(request, scope))).size).toBe(scopes.length)
    expect(new Set(scopes.map((scope) => keys.tagOfScope(scope))).size).toBe(scopes.length)
  })

  it('cannot be computed without the secret', () => {
    const secret = 'a secret of many bytes'
    expect(new Keys(secret).of(request, a)).toBe(new Keys(secret).of(request, a))
    expect(new Keys(secret).of(request, a)).not.toBe(keys.of(request, a))
    expect(new Keys(secret).of(request, a)).not.toBe(new Keys(`${secret}!`).of(request, a))
    expect(new Keys(secret).tagOfScope(a)).not.toBe(keys.tagOfScope(a))
  })

  it('tells nothing of the request', () => {
    expect(keys.of(request, a)).toMatch(/^[\w-]{43}$/)
    expect(keys.tagOfModel('gpt-5')).toMatch(/^m:[\w-]{22}$/)
  })
})
