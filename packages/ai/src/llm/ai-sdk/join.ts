import type { Content, GenerateResult, ProviderMetadata, StreamPart } from './parts.js'

/** Stands in a stream for what goes on around the answer. */
const AROUND = new Set(['stream-start', 'response-metadata', 'finish', 'raw', 'ping', 'error', 'tool-input-start', 'tool-input-delta', 'tool-input-end'])
const DELTA = /^(text|reasoning)-(start|delta|end)$/

/** The answer that a stream gives, as the model gives it when it is not streamed. */
export function join(parts: readonly StreamPart[]): GenerateResult {
  const content: Content[] = []
  const open = new Map<string, number>()
  const response = {}
  let warnings: readonly unknown[] = []
  let finish: StreamPart | undefined
  for (const part of parts) {
    if (DELTA.test(part.type)) extend(content, open, part)
    else if (part.type === 'stream-start') warnings = (part.warnings as readonly unknown[] | undefined) ?? []
    else if (part.type === 'response-metadata') Object.assign(response, without(part, 'type'))
    else if (part.type === 'finish') finish = part
    else if (!AROUND.has(part.type)) content.push(part)
  }
  const metadata = finish?.providerMetadata as ProviderMetadata | undefined
  return {
    content: content.filter(({ type, text }) => type !== 'text' || text !== ''),
    finishReason: finish?.finishReason,
    usage: finish?.usage,
    ...(metadata === undefined ? {} : { providerMetadata: metadata }),
    warnings,
    response,
  }
}

/** Adds to a text, or to what the model thought, what this part has of it. Several may be under way at once. */
function extend(content: Content[], open: Map<string, number>, part: StreamPart): void {
  const [type = ''] = part.type.split('-')
  const name = `${type}:${String(part.id)}`
  const place = open.get(name) ?? content.push({ type, text: '' }) - 1
  if (part.type.endsWith('-end')) open.delete(name)
  else open.set(name, place)
  const before = content[place]
  const { delta = '', ...rest } = without(part, 'type', 'id')
  content[place] = { type, ...before, ...rest, text: `${String(before?.text)}${String(delta)}` }
}

function without(part: StreamPart, ...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(part).filter(([name, value]) => !names.includes(name) && value !== undefined))
}
