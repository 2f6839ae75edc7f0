import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http'

/** What came back, and how long it took from the first byte sent to the first and the last received. */
interface Answer<Body> {
  status: number
  headers: IncomingHttpHeaders
  body: Body
  firstByte: number
  milliseconds: number
}

/** A visitor of the service: plain HTTP over connections that are kept open. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  async get<Body>(path: string): Promise<Answer<Body>> {
    return parsed(await this.page(path))
  }

  put<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#write('PUT', path, body)
  }

  post<Body>(path: string, body: object = {}, headers: OutgoingHttpHeaders = {}): Promise<Answer<Body>> {
    return this.#write('POST', path, body, headers)
  }

  /** As it came, without reading it. */
  page(path: string, headers: OutgoingHttpHeaders = {}): Promise<Answer<string>> {
    return this.#send('GET', path, headers)
  }

  close(): void {
    this.#agent.destroy()
  }

  async #write<Body>(method: string, path: string, body: object, headers: OutgoingHttpHeaders = {}): Promise<Answer<Body>> {
    return parsed(await this.#send(method, path, { ...headers, 'content-type': 'application/json' }, JSON.stringify(body)))
  }

  #send(method: string, path: string, given: OutgoingHttpHeaders, body?: string): Promise<Answer<string>> {
    return new Promise((resolve, reject) => {
      const began = performance.now()
      const headers = body === undefined ? given : { ...given, 'content-length': Buffer.byteLength(body) }
      const sent = request(this.#origin + path, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = []
        let firstByte = 0
        response.on('data', (chunk: Buffer) => {
          if (chunks.push(chunk) === 1) firstByte = performance.now() - began
        })
        response.on('error', reject)
        response.on('end', () => {
          const milliseconds = performance.now() - began
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString(), firstByte, milliseconds })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}

function parsed<Body>(answer: Answer<string>): Answer<Body> {
  return { ...answer, body: JSON.parse(answer.body) as Body }
}
