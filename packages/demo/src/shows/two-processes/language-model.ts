import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import type { SharedStage } from './shared-stage.js'

const QUESTIONS = 10

/** A chat endpoint that streams: the second time an answer comes from the cache, word for word, in either process. */
export async function showLanguageModel({ processes }: SharedStage, { visitors }: { visitors: number }): Promise<Chapter> {
  const [a, b] = processes.pair
  const questions = Array.from({ length: QUESTIONS }, (_, i) => `Which city has number ${i + 1}?`)
  const before = await savedBy(a, b)
  const first = await each(a, questions)
  const again = await each(a, questions)
  const other = await each(b, questions)
  const crowdSize = Math.max(2, Math.ceil(visitors / 10))
  const crowd = await counted([a, b], () => Promise.all(Array.from({ length: crowdSize }, (_, i) => ask(i % 2 === 0 ? a : b, 'Which city do all ask for?'))))
  const tokens = (await savedBy(a, b)) - before
  const row = (what: string, { answers, calls }: Outcome): string[] => [
    what,
    count(answers.length),
    count(calls),
    milliseconds(percentile(answers.map(({ firstByte }) => firstByte), 0.5)),
    milliseconds(percentile(answers.map((answer) => answer.milliseconds), 0.5)),
  ]
  const texts = ({ answers }: Outcome): string => JSON.stringify(answers.map(({ body }) => body))
  return {
    heading: 'A chat endpoint streams what a language model says, through the cache: GET /ask?q=',
    table: [
      ['', 'questions', 'calls of the model', 'first word p50', 'last word p50'],
      row('asked of A, one at a time', first),
      row('asked of A again', again),
      row('then asked of B', other),
      row('one new question, of A and B at the same moment', crowd),
    ],
    notes: [`Neither paid for nor waited for: ${count(tokens)} tokens.`, 'The model is asked by the client of OpenAI, whose `fetch` is that of the cache; without an OPENAI_API_KEY a local server stands for it.'],
    claims: [
      { says: 'the second time, A and B streamed the same answers, word for word, without the model', holds: first.calls === QUESTIONS && again.calls + other.calls === 0 && texts(again) === texts(first) && texts(other) === texts(first) },
      { says: `all ${count(crowdSize)} who asked at the same moment had the same answer, for one call of the model in both processes`, holds: crowd.calls === 1 && new Set(crowd.answers.map(({ body }) => body)).size === 1 && crowd.answers[0]?.status === 200 },
      { says: 'what that saved was counted in tokens', holds: tokens > 0 },
    ],
  }
}

type Said = Awaited<ReturnType<typeof ask>>

interface Outcome {
  readonly answers: readonly Said[]
  readonly calls: number
}

function ask({ client }: ServiceProcess, question: string) {
  return client.page(`/ask?q=${encodeURIComponent(question)}`)
}

function each(process: ServiceProcess, questions: readonly string[]): Promise<Outcome> {
  return counted([process], async () => {
    const answers: Said[] = []
    for (const question of questions) answers.push(await ask(process, question))
    return answers
  })
}

async function counted(processes: readonly ServiceProcess[], work: () => Promise<readonly Said[]>): Promise<Outcome> {
  const calls = async () => (await Promise.all(processes.map((process) => process.stats()))).reduce((sum, { model }) => sum + model.calls, 0)
  const before = await calls()
  const answers = await work()
  return { answers, calls: (await calls()) - before }
}

async function savedBy(...processes: readonly ServiceProcess[]): Promise<number> {
  const all = await Promise.all(processes.map((process) => process.stats()))
  return all.reduce((sum, { model: { saved } }) => sum + saved.inputTokens + saved.outputTokens, 0)
}
