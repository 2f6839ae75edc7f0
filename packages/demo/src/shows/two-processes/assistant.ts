import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { waitFor } from '../../wait-for.js'
import type { SharedStage } from './shared-stage.js'

/** A route that asks a cache synchronously, and what one process was asked is in the other's memory. */
export async function showAssistant({ processes }: SharedStage, { pages }: { pages: number }): Promise<Chapter> {
  const [a, b] = processes.pair
  const questions = Array.from({ length: pages }, (_, i) => `What is city number ${i} known for?`)
  const cold = await ask(a, questions)
  const arrived = await waitFor(async () => (await b.stats()).assistant.kept >= pages)
  const shared = await ask(b, questions)
  await a.client.put('/assistant/forget', {})
  const gone = await waitFor(async () => (await b.stats()).assistant.kept === 0)
  const again = await ask(b, questions.slice(0, 5))
  const row = (what: string, { times, calls }: Outcome): string[] => [what, count(times.length), count(calls), milliseconds(percentile(times, 0.5))]
  return {
    heading: 'A route written for a cache in memory asks a model, and awaits the cache nowhere: GET /assistant?q=',
    table: [
      ['one question at a time', 'questions', 'calls of the model', 'p50'],
      row('asked of A', cold),
      row('then asked of B', shared),
      row('of B again, after A was told to forget', again),
    ],
    notes: ['It reads its AI cache synchronously: from memory, to which Redis brings what the other process set.'],
    claims: [
      { says: 'what A was told, B had in memory before it was asked: the model was called once for each question', holds: arrived && cold.calls === pages && shared.calls === 0 },
      { says: 'what A forgot, B forgot', holds: gone && again.calls === 5 },
    ],
  }
}

async function ask({ client, stats }: ServiceProcess, questions: readonly string[]): Promise<Outcome> {
  const before = (await stats()).assistant.modelCalls
  const times: number[] = []
  for (const question of questions) times.push((await client.get(`/assistant?q=${encodeURIComponent(question)}`)).milliseconds)
  return { times, calls: (await stats()).assistant.modelCalls - before }
}

interface Outcome {
  times: number[]
  calls: number
}
