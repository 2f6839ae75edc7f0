import type { AICacheService } from '@tiercel/ai'
import { Router } from 'express'
import { setTimeout as pause } from 'node:timers/promises'

interface Answer {
  readonly text: string
}

/** How long the model thinks. */
const THINKING_MS = 20

/** Stands for a language model: slow, and paid for by the call. */
export class Model {
  calls = 0

  async complete(question: string): Promise<Answer> {
    this.calls++
    await pause(THINKING_MS)
    return { text: `Of "${question}" I know that it has ${question.length} characters.` }
  }
}

/** Questions to a model, as a route that was written for a cache in memory asks them: without waiting for the cache. */
export function assistantRoutes(ai: AICacheService, model: Model): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    const question = String(request.query['q'] ?? '').slice(0, 200)
    const hash = ai.generateMessageHash(question)
    response.json(ai.getChatResponse<Answer>(hash) ?? (await newAnswer(hash, question)))
  })

  async function newAnswer(hash: string, question: string): Promise<Answer> {
    const answer = await model.complete(question)
    ai.setChatResponse(hash, answer)
    return answer
  }

  router.put('/forget', (_request, response) => {
    ai.clearAll()
    response.json({ forgotten: true })
  })

  return router
}
