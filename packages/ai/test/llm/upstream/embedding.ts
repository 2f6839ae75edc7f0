import { createHash } from 'node:crypto'

const DIMENSIONS = 8

/** The vector of a text: the same for the same text, another for another, of length 1. */
export function vectorOf(text: string, dimensions: number = DIMENSIONS): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, index) => createHash('sha256').update(`${index}:${text}`).digest().readInt32BE() / 2 ** 31)
  const length = Math.hypot(...vector)
  return vector.map((each) => each / length)
}

/** What the API answers to a request for embeddings: numbers, or base64 as the official client asks. */
export function embeddings(body: Readonly<Record<string, unknown>>): object {
  const { input, model, dimensions, encoding_format: format } = body as { input: string | string[]; model: string; dimensions?: number; encoding_format?: string }
  const texts = typeof input === 'string' ? [input] : input
  const tokens = texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
  return {
    object: 'list',
    data: texts.map((text, index) => {
      const vector = vectorOf(text, dimensions)
      return { object: 'embedding', index, embedding: format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector] }
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}
