import type { StorageManager } from './storage-manager.js'

/** What is needed of a response of Express. */
interface JsonResponse {
  status(code: number): { json(body: unknown): unknown }
}

/**
 * A route for probes: what `healthCheck` gives, with 200 or, when it is not healthy, 503.
 *
 * @example
 * app.get('/health', healthRoute(manager))
 */
export function healthRoute<Data extends object, Member>(manager: StorageManager<Data, Member>): (request: unknown, response: JsonResponse) => Promise<void> {
  return async (_request, response) => {
    const health = await manager.healthCheck()
    response.status(health.healthy ? 200 : 503).json(health)
  }
}

/** A route that gives what `getStatus` gives, without asking Redis, and 200. */
export function statusRoute<Data extends object, Member>(manager: StorageManager<Data, Member>): (request: unknown, response: JsonResponse) => void {
  return (_request, response) => {
    response.status(200).json(manager.getStatus())
  }
}
