import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { kindOf, type Call, type Kind } from './call.js'
import { deliver } from './deliver.js'
import { embeddings } from './embedding.js'
import { Turn, type Plan } from './plan.js'
import { errorOf, transcript, whole, type Wire } from './transcript.js'

/**
 * A server on this machine that speaks as providers of language models do: chat completions, responses and embeddings of OpenAI, messages of Anthropic, plain and as
 * streams. It answers what the folder `transcripts` holds, as planned, and counts.
 *
 * @example
 * await using upstream = await startUpstream()
 * const client = new OpenAI({ baseURL: upstream.v1, apiKey: 'any' })
 */
export class Upstream implements AsyncDisposable {
  /** Where it is, without and with the version that clients of OpenAI want in it. */
  readonly url: string
  readonly v1: string
  readonly calls: Call[] = []
  readonly #server: ReturnType<typeof createServer>
  #turns: Turn[] = []
  #answer = 'text'

  constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.v1 = `${this.url}/v1`
    server.on('request', (request, response) => {
      // Who breaks a call off half way is what many tests are about.
      this.#serve(request, response).catch(() => response.destroy())
    })
  }

  /** How many calls arrived, of all kinds or of one. */
  count(kind?: Kind): number {
    return kind === undefined ? this.calls.length : this.calls.filter((call) => call.kind === kind).length
  }

  /** The texts that were asked to be embedded, in order. */
  get embedded(): readonly string[] {
    return this.calls.filter(({ kind }) => kind === 'embeddings').flatMap(({ body }) => body.input as string | string[])
  }

  /** From now on the answer to every call that is not planned otherwise. */
  answer(name: string): void {
    this.#answer = name
  }

  /** Plans the next call that is not planned yet. */
  next(plan: Plan): Turn {
    const turn = new Turn(plan)
    this.#turns.push(turn)
    return turn
  }

  /** Forgets what was planned and counted. */
  reset(): void {
    this.calls.length = 0
    this.#turns = []
    this.#answer = 'text'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const kind = kindOf.get(request.url ?? '')
    const said = await text(request)
    if (kind === undefined || request.method !== 'POST') {
      response.writeHead(404).end()
      return
    }
    const body = JSON.parse(said) as Record<string, unknown>
    let deliberately: 'broken off' | undefined
    const ended = new Promise<'sent' | 'client gone' | 'broken off'>((resolve) => response.once('close', () => resolve(deliberately ?? (response.writableFinished ? 'sent' : 'client gone'))))
    const call: Call = { kind, body, headers: request.headers, ended }
    this.calls.push(call)
    const turn = this.#turns.shift() ?? new Turn({})
    if (turn.plan.breakAfter !== undefined) deliberately = 'broken off'
    await deliver(response, call, await this.#wireOf(call, turn.plan), turn, `req_${this.calls.length}`)
  }

  #wireOf({ kind, body }: Call, { status, answer }: Plan): Promise<Wire> | Wire {
    if (status !== undefined) return errorOf(kind, status).document
    return kind === 'embeddings' ? whole(embeddings(body)) : transcript(kind, answer ?? this.#answer, body)
  }
}

export async function startUpstream(): Promise<Upstream> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new Upstream(server)
}
