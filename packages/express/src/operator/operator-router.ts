import type { IncomingMessage } from 'node:http'
import { InvalidOptionError, MissingPeerError } from '@tiercel/core'
import type { Middleware } from '../express-shapes.js'
import { refusal, send, type Answer } from './answer.js'
import { prometheusText } from './prometheus.js'
import { purge } from './purge.js'
import { isReady, read, type OperatorSource, type Reading } from './source.js'

/** What an operator asks for; each is a path of its own below where the router is mounted. */
export type OperatorAction = 'stats' | 'metrics' | 'health' | 'ready' | 'purge'

export interface OperatorOptions {
  /**
   * Whether this request may do this. Only `true` lets it through, everything else is answered with 403; what it throws goes to the
   * application's error handler. Probes that cannot log in are let through by their action: `(req, action) => action === 'ready' || isAdmin(req)`.
   */
  authorize(request: IncomingMessage, action: OperatorAction): boolean | Promise<boolean>
  /** What there is to see, by the name it is shown under. A cache is a source as it is. */
  sources: Readonly<Record<string, OperatorSource>>
  /** How long a source may take to answer, in ms. It then counts as unhealthy and not ready. Default 1000. */
  timeout?: number | undefined
}

const OPTIONS = ['authorize', 'sources', 'timeout']
const MAX_TIMEOUT_MS = 60_000

/**
 * Figures, health and purge for operators, below where it is mounted:
 *
 * - `GET stats`: stats and health of every source, as JSON
 * - `GET metrics`: their numbers in Prometheus' text format; needs the package `prom-client`
 * - `GET health`: 200 when every source is healthy, else 503
 * - `GET ready`: 200 when every source can be used, else 503
 * - `POST purge`: `{ "source": "pages", "tag": "users" }` drops what `cache.invalidate` would
 *
 * Nothing of it can be cached, and what it does not know goes on to the next middleware.
 *
 * @throws {InvalidOptionError} without `authorize`, and for options that do not exist or cannot be.
 * @example
 * app.use('/operator', operatorRouter({ authorize: (req) => req.headers.authorization === secret, sources: { pages: cache } }))
 */
export function operatorRouter(options: OperatorOptions): Middleware {
  const { authorize, sources, timeout } = checked(options)
  const readAll = async (): Promise<ReadonlyMap<string, Reading>> =>
    new Map(await Promise.all([...sources].map(async ([name, source]) => [name, await read(source, timeout)] as const)))

  const actions: Record<OperatorAction, { readonly method: 'GET' | 'POST'; answer(request: IncomingMessage): Promise<Answer> }> = {
    stats: { method: 'GET', answer: async () => ({ status: 200, body: { sources: Object.fromEntries(shown(await readAll())) } }) },
    metrics: { method: 'GET', answer: async () => metrics(await readAll()) },
    health: {
      method: 'GET',
      answer: async () => {
        const readings = [...(await readAll())]
        const healthy = readings.every(([, reading]) => reading.healthy)
        return { status: healthy ? 200 : 503, body: { healthy, sources: Object.fromEntries(readings.map(([name, reading]) => [name, reading.healthy])) } }
      },
    },
    ready: {
      method: 'GET',
      answer: async () => {
        const states = await Promise.all([...sources].map(async ([name, source]) => [name, await isReady(source, timeout)] as const))
        const ready = states.every(([, state]) => state)
        return { status: ready ? 200 : 503, body: { ready, sources: Object.fromEntries(states) } }
      },
    },
    purge: { method: 'POST', answer: (request) => purge(sources, request) },
  }

  return (request, response, next) => {
    const name = /^\/?([a-z]+)\/?(?:\?|$)/.exec(request.url ?? '')?.[1] ?? ''
    if (!Object.hasOwn(actions, name)) return next()
    const action = name as OperatorAction
    const { method, answer } = actions[action]
    const decide = async (): Promise<Answer> => {
      if ((await authorize(request, action)) !== true) return refusal(403, 'Not allowed')
      if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return answer(request)
      response.setHeader('Allow', method === 'GET' ? 'GET, HEAD' : method)
      return refusal(405, `Use ${method}`)
    }
    return void decide().then((decided) => send(request, response, decided)).then(undefined, next)
  }
}

function checked(options: OperatorOptions): { authorize: OperatorOptions['authorize']; sources: ReadonlyMap<string, OperatorSource>; timeout: number } {
  if (typeof options !== 'object' || options === null || typeof options.authorize !== 'function') {
    throw new InvalidOptionError('operatorRouter needs authorize: a function that says whether a request may see figures and purge')
  }
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`operatorRouter has no option '${unknown.slice(0, 40)}'. It has: ${OPTIONS.join(', ')}`)
  const { authorize, timeout = 1000 } = options
  if (typeof timeout !== 'number' || !(timeout > 0 && timeout <= MAX_TIMEOUT_MS)) throw new InvalidOptionError(`timeout is more than 0 and at most ${MAX_TIMEOUT_MS} ms`)
  const { sources } = options
  if (typeof sources !== 'object' || sources === null || Object.values(sources).some((source) => typeof source !== 'object' || source === null)) {
    throw new InvalidOptionError('sources are objects by name, such as { pages: cache }')
  }
  return { authorize: authorize.bind(options), sources: new Map(Object.entries(sources)), timeout }
}

function shown(readings: ReadonlyMap<string, Reading>): (readonly [name: string, reading: unknown])[] {
  return [...readings].map(([name, { healthy, failed, stats, health }]) => [name, { healthy, failed, stats, health }])
}

async function metrics(readings: ReadonlyMap<string, Reading>): Promise<Answer> {
  try {
    return { status: 200, ...(await prometheusText(readings)) }
  } catch (error) {
    if (!(error instanceof MissingPeerError)) throw error
    return refusal(501, error.message, error.code)
  }
}
