import type { Engine } from '../engine.js'
import type { Reply, Wire } from '../wire.js'
import { optionsIn } from './call-header.js'
import { eventsOf } from './events.js'
import { headersOf, passOn, readCall, type Fetch, type HttpCall } from './http-call.js'
import { sharedHeadOf } from './http-head.js'
import { requestOf } from './http-request.js'
import { responseOf } from './http-response.js'
import type { Protocol } from './protocol.js'
import { wireOf } from './protocol-wire.js'
import { protocols } from './protocols/index.js'

/** Answers calls of one kind that go over HTTP. */
export interface Route {
  /** How addresses end that it answers. */
  readonly path: string
  answer(call: HttpCall, headers: Headers): Promise<Response>
}

/** A `fetch` that answers calls of models from the cache; all others it passes on as they are. */
export function fetchThrough(engine: Engine, fetch: Fetch, more: readonly Route[] = []): Fetch {
  const routes = [...protocols.map((protocol) => routeOf(engine, protocol)), ...more]
  return async (input, init) => {
    const routeTo = ({ pathname }: URL) => routes.find(({ path }) => pathname.endsWith(path))
    const call = await readCall(fetch, (url) => routeTo(url) !== undefined, input, init)
    const route = call && routeTo(call.url)
    return call === undefined || route === undefined ? passOn(fetch, input, init) : route.answer(call, headersOf(input, init))
  }
}

function routeOf(engine: Engine, protocol: Protocol): Route {
  const wire = wireOf(protocol)
  return {
    path: protocol.path,
    async answer(call, headers) {
      let own: Response | undefined
      const answer = await engine.serve({
        request: requestOf(call, protocol),
        wire,
        call: async (signal) => replyOf((own = await call.send(signal)), wire, engine.settings.policy.maxBytes),
        options: optionsIn(headers),
        signal: call.signal,
      })
      return responseOf(answer, call, protocol, own)
    },
  }
}

async function replyOf(response: Response, wire: Wire<Uint8Array, Uint8Array>, maxBytes: number): Promise<Reply<Uint8Array, Uint8Array>> {
  const type = response.headers.get('content-type') ?? ''
  const isStream = /^text\/event-stream\b/i.test(type)
  const refused = response.ok ? (isStream || /\bjson\b/i.test(type) ? undefined : 'form') : 'error'
  const body = response.body as ReadableStream<Uint8Array> | null
  if (body !== null && isStream) return { head: sharedHeadOf(response, refused !== undefined), parts: eventsOf(body, maxBytes), refused }
  // Whatever it is, it may be a stream all the same.
  if (body !== null && refused === 'form') return { head: sharedHeadOf(response, true), parts: body, refused }
  const whole = new Uint8Array(await response.arrayBuffer())
  // There are providers that say with status 200 that something failed.
  return { head: sharedHeadOf(response, refused !== undefined || !isAnswer(wire, whole)), whole, refused }
}

function isAnswer({ outcomeOfWhole }: Wire<Uint8Array, Uint8Array>, whole: Uint8Array): boolean {
  try {
    return outcomeOfWhole(whole) !== undefined
  } catch {
    return false
  }
}
