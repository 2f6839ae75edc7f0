import type { ServerResponse } from 'node:http'
import type { CachedRequest } from '../express-shapes.js'
import { swallow } from './body-arguments.js'
import { headersOf, restoreHeaders } from './outgoing-head.js'

type Method = (this: ServerResponse, ...args: unknown[]) => unknown

/**
 * Does something once a handler has answered with success (2xx or 3xx), and lets the answer end only when it is done: who has it can rely on that. What goes
 * wrong is reported, and the answer goes out all the same.
 *
 * While it is being done, the answer counts as ended: Node would not take another, and what comes too late must not get into this one.
 */
export function afterSuccess(req: CachedRequest, res: ServerResponse, act: () => Promise<unknown>, onError: (error: unknown) => void): void {
  const { writeHead, write, end } = res as unknown as Record<'writeHead' | 'write' | 'end', Method>
  const { params } = req
  let state: 'open' | 'acting' | 'done' = 'open'

  // In a function of its own, so that what it throws is treated as what it rejects with.
  const acting = async (): Promise<unknown> => {
    const now = req.params
    // Who answers may stand behind the route, where these are not to be had any more.
    req.params = params
    try {
      return act()
    } finally {
      req.params = now
    }
  }
  const begin = (done: () => unknown): void => {
    state = 'acting'
    void acting()
      .catch(onError)
      .finally(() => {
        state = 'done'
        done()
      })
  }

  Object.assign(res, {
    writeHead: (...args: unknown[]) => (state === 'acting' ? res : writeHead.apply(res, args)),
    write: (...args: unknown[]) => (state === 'acting' ? swallow(args, false) : write.apply(res, args)),
    end: (...args: unknown[]) => {
      if (state === 'acting') return swallow(args, res)
      if (state === 'done' || !isSuccess(res)) return end.apply(res, args)
      const [headers, { statusCode }] = [headersOf(res), res]
      // HTTP/2 has none, and Node warns of those who ask.
      const message = req.httpVersionMajor < 2 ? { statusMessage: res.statusMessage } : undefined
      begin(() => {
        // A handler that failed after it had answered.
        if (res.statusCode !== statusCode && !res.headersSent) {
          restoreHeaders(res, headers)
          Object.assign(res, { statusCode, ...message })
        }
        end.apply(res, args)
      })
      return res
    },
  } satisfies Record<string, Method>)

  // The client has hung up in the middle of the answer, and nobody calls `end`. What was to be done is due all the same.
  res.once('close', () => {
    if (state === 'open' && res.headersSent && isSuccess(res)) begin(() => {})
  })
}

function isSuccess({ statusCode }: ServerResponse): boolean {
  return statusCode >= 200 && statusCode <= 399
}
