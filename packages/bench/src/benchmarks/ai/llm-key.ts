import { Keys } from '../../../../ai/dist/esm/llm/key.js'
import { compare, type Comparison } from '../../comparison.js'
import type { Effort } from '../../effort.js'
import { measure } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { conversation } from '../../values.js'
import type { Benchmark } from '../benchmark.js'

/** What it costs to derive the key of a conversation with a model. */
export const llmKey: Benchmark = async (effort) => ({
  name: 'llm-key',
  title: 'The key of a conversation of 50 messages, 100 KB',
  comparisons: await llmKeysOf(effort),
  notes: ['A key is a SHA-256 over all of the conversation, with its fields in order. The other languages have two bytes for each character where English has one.'],
})

const LANGUAGES = {
  English: 'The quick brown fox jumps over the lazy dog, and says: "Who was that?"\n',
  French: 'Voix ambiguë d’un cœur qui, au zéphyr, préfère les jattes de kiwis.\n',
  Japanese: 'いろはにほへと ちりぬるを わかよたれそ つねならむ',
}
const PASSES = 5

export async function llmKeysOf({ plan }: Effort): Promise<Comparison[]> {
  const keys = new Keys(undefined)
  const comparisons: Comparison[] = []
  for (const [language, sentence] of Object.entries(LANGUAGES)) {
    const input = { messages: conversation(50, 2000, sentence), temperature: 0, seed: 1 }
    const request = { provider: 'https://api.test/v1/chat/completions', model: 'gpt-5', kind: 'chat', input }
    const scope = { path: ['scope', 'a'] } as const
    const length = JSON.stringify(input).length
    const [ours, theirs] = await measure(
      [
        {
          name: 'key',
          operations: PASSES,
          pass: () => {
            let sum = 0
            for (let i = 0; i < PASSES; i++) sum += keys.of(request, scope).length
            return sum
          },
          check: (sum) => expect(sum === PASSES * 43, 'a key was not a SHA-256'),
        },
        {
          name: 'JSON.stringify',
          operations: PASSES,
          pass: () => {
            let sum = 0
            for (let i = 0; i < PASSES; i++) sum += JSON.stringify(input).length
            return sum
          },
          check: (sum) => expect(sum === PASSES * length, 'JSON was not as long as it is'),
        },
      ],
      plan,
    )
    if (ours === undefined || theirs === undefined) throw new Error('nothing was measured')
    comparisons.push(compare(language, ours, theirs, 4))
  }
  return comparisons
}
