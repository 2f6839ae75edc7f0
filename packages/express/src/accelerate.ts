import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidArgumentError } from '@tiercel/core'
import { acceleratorOf, putBefore, type Handling } from './serve/accelerator.js'

/**
 * Answers responses that their handler marks `Cache-Control: public` before Express runs, which is most of what such a hit costs. It learns which those are from
 * hits of strangers that went through the application, and sends the headers that middleware has set for two of them alike.
 *
 * Nothing that stands in front of `cacheResponses` runs for them: no authentication, no session, no limit, no log, no rewriting of URLs. Responses
 * behind a `room` or `key` that is a function, or behind named cookies, still go through the application; so do all other requests.
 *
 * @throws {InvalidArgumentError} for what is no application of Express.
 * @example
 * accelerate(app)
 * app.get('/news', cacheResponses({ cache }), (req, res) => res.set('Cache-Control', 'public, max-age=60').send(news()))
 */
export function accelerate(app: (req: IncomingMessage, res: ServerResponse) => unknown): void {
  if (typeof app !== 'function' || !('handle' in app) || typeof app.handle !== 'function') throw new InvalidArgumentError('accelerate takes an application of Express: accelerate(app)')
  if (acceleratorOf(app) === undefined) putBefore(app as unknown as Handling)
}
