import type { Content, GenerateResult, StreamPart } from './parts.js'

/** The stream that says what an answer says. */
export function* split({ content, finishReason, usage, providerMetadata, warnings, response }: GenerateResult): Generator<StreamPart> {
  yield { type: 'stream-start', warnings: warnings ?? [] }
  const { id, timestamp, modelId } = response ?? {}
  if (id !== undefined || timestamp !== undefined || modelId !== undefined) yield { type: 'response-metadata', ...defined({ id, timestamp, modelId }) }
  for (const [index, piece] of content.entries()) {
    if (piece.type === 'text' || piece.type === 'reasoning') yield* deltas(piece, String(index))
    else yield piece
  }
  yield { type: 'finish', finishReason, usage, ...defined({ providerMetadata }) }
}

function* deltas({ type, text, ...rest }: Content, id: string): Generator<StreamPart> {
  const { providerMetadata } = rest
  yield { type: `${type}-start`, id, ...defined({ providerMetadata }) }
  yield { type: `${type}-delta`, id, delta: text }
  yield { type: `${type}-end`, id, ...rest }
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
