import { createHash } from 'node:crypto'
import { createLLMCache } from '@tiercel/ai'
import { createCache, type Cache } from '@tiercel/core'
import { compare, type Comparison } from '../../comparison.js'
import type { Effort } from '../../effort.js'
import { measure, seriesOf, type Subject } from '../../measure.js'
import { expect } from '../../misbehaviour.js'
import { withRedis, type Place } from '../../redis/with-redis.js'
import { conversation } from '../../values.js'
import type { Benchmark } from '../benchmark.js'

const QUESTIONS = 16
const PARTS = 200
const SENTENCE = 'The quick brown fox jumps over the lazy dog. '

/** How soon the first part of an answer of a model is there that is in memory. */
export const llmHit: Benchmark = async (effort) => ({
  name: 'llm-hit',
  title: `The first of ${PARTS} parts of a cached answer, to a question of 2 KB`,
  comparisons: [await llmHitsOf(effort)],
  notes: [
    'The other side: JSON.stringify of the question, SHA-256 of that, and "get" of the core with it; no scope, no order of fields, no age, no figures, and the part itself is the one that is stored.',
  ],
})

/** The same from Redis. */
export const llmRead: Benchmark = async ({ redis: { plan } }) =>
  withRedis(async (place) => ({
    name: 'llm-read',
    title: `The first of ${PARTS} parts of an answer that is in Redis, to a question of 2 KB, by the clock`,
    comparisons: [await llmReadsOf(place, plan.rounds, 20)],
    notes: ['Both sides have room for one answer in memory, and ask for another one each time.'],
  }))

export async function llmHitsOf({ plan }: Effort): Promise<Comparison> {
  const { firstPart, plainly, close } = await open(createCache({ redis: false }))
  const subject = (name: string, ask: (question: number) => Promise<string>): Subject => ({
    name,
    operations: QUESTIONS,
    pass: async () => {
      let sum = 0
      for (let i = 0; i < QUESTIONS; i++) sum += (await ask(i)).length
      return sum
    },
    check: (sum) => expect(sum === QUESTIONS * 'part 0'.length, 'a part was not the first'),
  })
  const [ours, theirs] = await measure([subject('first part', firstPart), subject('get by a hash', plainly)], plan)
  await close()
  if (ours === undefined || theirs === undefined) throw new Error('nothing was measured')
  return compare(undefined, ours, theirs, 2)
}

export async function llmReadsOf({ url, name }: Place, rounds: number, passes: number): Promise<Comparison> {
  const cache = createCache({ redis: url, name, deadline: '30s', memory: { maxEntries: 1 } })
  await cache.ready()
  const { firstPart, plainly, close } = await open(cache)
  const samples: [ours: number[], theirs: number[]] = [[], []]
  for (let round = -2; round < rounds; round++) {
    for (const [i, ask] of [firstPart, plainly].entries()) {
      const began = process.hrtime.bigint()
      for (let pass = 0; pass < passes; pass++) for (let question = 0; question < QUESTIONS; question++) expect((await ask(question)) === 'part 0', 'a part was not the first')
      if (round >= 0) samples[i]?.push(Number(process.hrtime.bigint() - began) / (passes * QUESTIONS))
    }
  }
  await close()
  return compare(undefined, seriesOf('first part', 'wall-ns', samples[0]), seriesOf('get by a hash', 'wall-ns', samples[1]), 2)
}

interface Sides {
  /** Of the answer to a question, through the LLM cache. */
  firstPart(question: number): Promise<string>
  /** The same with nothing but the core. */
  plainly(question: number): Promise<string>
  close(): Promise<void>
}

async function open(cache: Cache): Promise<Sides> {
  const questions = Array.from({ length: QUESTIONS }, (_, i) => ({ model: 'gpt-5', temperature: 0, messages: conversation(5, 400, `${i} ${SENTENCE}`) }))
  const parts = Array.from({ length: PARTS }, (_, i) => `part ${i}`)
  const llm = createLLMCache({ cache, scope: 'a' })
  let asked = 0
  const ask = llm.wrap(
    async function* answer(_question: object) {
      asked++
      yield* parts
    },
    { key: (question) => question },
  )
  const plain = cache.namespace('plain')
  const keyOf = (question: object) => createHash('sha256').update(JSON.stringify(question)).digest('base64url')
  for (const question of questions) {
    for await (const part of await ask(question)) expect(part.startsWith('part'), 'not a part')
    await plain.set(keyOf(question), { version: 1, items: parts, createdAt: Date.now() })
  }
  return {
    firstPart: async (i) => (await (await ask(questions[i] as object)).next()).value ?? '',
    plainly: async (i) => (await plain.get<{ readonly items: readonly string[] }>(keyOf(questions[i] as object)))?.items[0] ?? '',
    close: async () => {
      await cache.close()
      expect(asked === QUESTIONS, 'the model was asked again')
    },
  }
}
