import { once } from 'node:events'
import { createServer, request as ask, type IncomingHttpHeaders, type OutgoingHttpHeaders, type RequestListener } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { createCache, type Cache, type CacheOptions } from '@tiercel/core'
import { onTestFinished } from 'vitest'
import type { Express, ExpressModule } from './versions.js'

/** An answer as it came over the wire. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  readonly body: string
  readonly bytes: Buffer
  /** Whether all of it came. */
  readonly complete: boolean
}

export interface Asking {
  readonly method?: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer
  /** The address to come from: any of the loopback interface. */
  readonly localAddress?: string
  /** Gives up waiting, and hangs up. */
  readonly signal?: AbortSignal
}

/** How long a test waits for an answer that should be there: longer means that the visitor hangs. */
const PATIENCE_MS = 30_000

export interface Site {
  readonly port: number
  readonly cache: Cache
  get(path: string, headers?: OutgoingHttpHeaders): Promise<Answer>
  send(path: string, asking?: Asking): Promise<Answer>
  /** Sends bytes as they are on a connection of its own, and gives all that came back when it was closed. */
  raw(text: string | Buffer): Promise<string>
}

/** A server on the loopback interface whose application `define` fills. It ends with the test, and so does its cache. */
export async function open(express: ExpressModule, define: (app: Express, cache: Cache) => void, options: CacheOptions = {}): Promise<Site> {
  const app = express()
  const cache = createCache({ redis: false, ...options })
  onTestFinished(() => cache.close())
  // What a test provokes is part of it, and not for the log.
  app.set('env', 'test')
  define(app, cache)
  return { ...(await serve(app)), cache }
}

/** A server for anything that answers requests. */
export async function serve(listener: RequestListener): Promise<Omit<Site, 'cache'>> {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const send = (path: string, asking: Asking = {}): Promise<Answer> => exchange(port, path, asking)
  return { port, send, get: (path, headers) => send(path, headers === undefined ? {} : { headers }), raw: (text) => rawExchange(port, text) }
}

function exchange(port: number, path: string, { method = 'GET', headers = {}, body, signal, localAddress }: Asking): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = ask({ host: '127.0.0.1', port, path, method, headers: { ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }), ...headers }, agent: false, signal, localAddress })
    const timer = setTimeout(() => request.destroy(new Error(`no answer to ${method} ${path} in ${PATIENCE_MS} ms: it hangs`)), PATIENCE_MS)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      const done = (): void => {
        const bytes = Buffer.concat(chunks)
        resolve({ status: response.statusCode ?? 0, headers: response.headers, rawHeaders: response.rawHeaders, body: bytes.toString(), bytes, complete: response.complete })
      }
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', done)
      // A body that breaks off is an answer too, and some tests are about it.
      response.on('error', done)
    })
    request.end(body)
  })
}

async function rawExchange(port: number, text: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {})
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS)
  socket.write(text)
  await once(socket, 'close')
  clearTimeout(timer)
  return Buffer.concat(chunks).toString('latin1')
}
