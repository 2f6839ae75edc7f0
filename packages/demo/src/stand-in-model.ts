import express from 'express'
import { setTimeout as pause } from 'node:timers/promises'
import { RunningServer } from './running-server.js'

/** How long it thinks before the first word, and before each other. */
const THINKING_MS = 40
const WORD_MS = 4

interface Asked {
  readonly model: string
  readonly messages: readonly { readonly content: string }[]
  readonly stream_options?: { readonly include_usage?: boolean }
}

/** Stands for a provider of language models when there is no key for one: it speaks the protocol of OpenAI's chat completions, streamed, and takes its time. */
export function startStandInModel(): Promise<RunningServer> {
  const app = express()
  let answers = 0

  app.post('/v1/chat/completions', express.json(), async ({ body }, response) => {
    const { model, messages, stream_options: wishes } = body as Asked
    const question = messages.at(-1)?.content ?? ''
    const words = answerTo(question).split(/(?<= )/)
    const common = { id: `chatcmpl-${++answers}`, object: 'chat.completion.chunk', created: Math.floor(Date.now() / 1000), model }
    const send = (rest: object) => response.write(`data: ${JSON.stringify({ ...common, ...rest })}\n\n`)
    const choice = (delta: object, finish: string | null = null) => ({ choices: [{ index: 0, delta, finish_reason: finish }] })
    response.type('text/event-stream')
    await pause(THINKING_MS)
    send(choice({ role: 'assistant', content: '' }))
    for (const content of words) {
      send(choice({ content }))
      await pause(WORD_MS)
    }
    send(choice({}, 'stop'))
    const tokens = { prompt_tokens: question.split(' ').length, completion_tokens: words.length }
    if (wishes?.include_usage) send({ choices: [], usage: { ...tokens, total_tokens: tokens.prompt_tokens + tokens.completion_tokens } })
    response.end('data: [DONE]\n\n')
  })

  return RunningServer.start(app)
}

function answerTo(question: string): string {
  return `You ask: “${question}” I am no model, only what stands for one, and so I know that your question has ${question.length} characters and ${question.split(' ').length} words, no more.`
}
