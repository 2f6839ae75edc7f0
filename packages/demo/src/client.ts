import { Agent, request } from 'node:http'

/** What came back, and how long it took from the first byte sent to the last received. */
interface Answer<Body> {
  status: number
  body: Body
  milliseconds: number
}

/** A visitor of the service: plain HTTP over connections that are kept open. */
export class Client {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #origin: string

  constructor(origin: string) {
    this.#origin = origin
  }

  get<Body>(path: string): Promise<Answer<Body>> {
    return this.#send('GET', path)
  }

  put<Body>(path: string, body: object): Promise<Answer<Body>> {
    return this.#send('PUT', path, JSON.stringify(body))
  }

  post<Body>(path: string, body: object = {}): Promise<Answer<Body>> {
    return this.#send('POST', path, JSON.stringify(body))
  }

  close(): void {
    this.#agent.destroy()
  }

  #send<Body>(method: string, path: string, body?: string): Promise<Answer<Body>> {
    return new Promise((resolve, reject) => {
      const began = performance.now()
      const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(this.#origin + path, { method, agent: this.#agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const milliseconds = performance.now() - began
          const text = Buffer.concat(chunks).toString()
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Body, milliseconds })
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  }
}
