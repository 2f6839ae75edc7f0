import type { Request, Response } from 'express'

/** A handler that knows how often it ran. */
export interface Counting {
  (request: Request, response: Response): void
  readonly runs: number
}

/** `answer` is given the number of the run, counted from 1. Without it the answer is the page `run 1`, `run 2`, ... */
export function counting(answer: (request: Request, response: Response, run: number) => unknown = (_request, response, run) => response.send(`run ${run}`)): Counting {
  let runs = 0
  const handler = (request: Request, response: Response): void => {
    runs++
    answer(request, response, runs)
  }
  return Object.defineProperty(handler, 'runs', { get: () => runs }) as unknown as Counting
}
