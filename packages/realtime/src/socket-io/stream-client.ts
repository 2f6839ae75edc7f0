import { setTimeout as delay } from 'node:timers/promises'
import { InvalidArgumentError } from '@tiercel/core'
import type { OwnLink, RedisLink, Reply } from '@tiercel/core/connection'
import { LinkClient } from './link-client.js'

/** How long a read waits in Redis for news. Shorter than what makes a silent server count as dead. */
export const WAITS_MS = 1000
const RETRY_MS = 500

interface StreamMessage {
  readonly id: string
  readonly message: Readonly<Record<string, string>>
}

/**
 * What `@socket.io/redis-streams-adapter` uses of a client of node-redis, on a link, and on another one for reads that wait for news: on the first one they would hold
 * up everything else. As with the other adapter nothing rejects where nobody listens, and while Redis is away there is one server: this one.
 */
export class StreamClient extends LinkClient {
  readonly #reading: OwnLink
  /** Where the stream ended at the beginning, which is what `$` means here: looked up at each read, it would pass over what was added in between. */
  #start: string | undefined
  #closed = false

  constructor(link: RedisLink, reading: OwnLink) {
    super(link)
    this.#reading = reading
  }

  /** Resolves when nothing is missed that is sent from now on; without Redis with the first deadline. */
  async begin(stream: string): Promise<void> {
    await this.#startOf(stream).catch(() => {})
  }

  /** The adapter wants one for reading and one for messages: this one does both beside the rest. */
  duplicate(): this {
    return this
  }

  connect(): Promise<void> {
    return Promise.resolve()
  }

  /** It ends with `close`. */
  disconnect(): Promise<void> {
    return Promise.resolve()
  }

  /** `''` when Redis does not take it: who is connected here is told all the same. */
  async xAdd(stream: string, _id: '*', message: Readonly<Record<string, string>>, { TRIM }: { readonly TRIM: { readonly threshold: number } }): Promise<string> {
    const command = ['XADD', stream, 'MAXLEN', '~', String(TRIM.threshold), '*', ...Object.entries(message).flat()]
    return String(await this.link.send(command, { route: stream }).catch(() => ''))
  }

  /** The adapter asks again at once, whatever comes of it: so a failure takes its time, and after the end nothing comes any more. */
  async xRead([{ key, id }]: [{ readonly key: string; readonly id: string }], { COUNT }: { readonly COUNT: number }): Promise<{ readonly messages: StreamMessage[] }[] | null> {
    try {
      const from = id === '$' ? await this.#startOf(key) : id
      const command = ['XREAD', 'BLOCK', String(WAITS_MS), 'COUNT', String(COUNT), 'STREAMS', key, from]
      const reply = await this.#reading.send(command, { route: key, timeoutMs: WAITS_MS + this.#reading.deadlineMs })
      return Array.isArray(reply) ? [{ messages: messagesOf((reply[0] as Reply[])[1]) }] : null
    } catch {
      if (this.#closed) return await new Promise(() => {})
      await delay(RETRY_MS, undefined, { ref: false })
      return null
    }
  }

  async xRange(stream: string, first: string, last: string): Promise<StreamMessage[]> {
    return messagesOf(await this.link.send(['XRANGE', stream, first, last], { route: stream }))
  }

  /** Who cannot be remembered begins anew. */
  async set(key: string, value: string, { PX }: { readonly PX: number }): Promise<void> {
    await this.link.send(['SET', key, value, 'PX', String(PX)], { route: key }).catch(() => {})
  }

  /** Only ever asked to get something and delete it. */
  multi() {
    return {
      get: (key: string) => ({
        del: (same: string) => ({
          exec: async (): Promise<[string | null]> => {
            if (same !== key) throw new InvalidArgumentError('What is got is not what is deleted')
            const value = await this.link.send(['GETDEL', key], { route: key })
            return [value === null ? null : String(value)]
          },
        }),
      }),
    }
  }

  override async close(): Promise<void> {
    this.#closed = true
    await super.close()
    await this.#reading.close()
  }

  async #startOf(stream: string): Promise<string> {
    if (this.#start === undefined) {
      const [last] = messagesOf(await this.#reading.send(['XREVRANGE', stream, '+', '-', 'COUNT', '1'], { route: stream }))
      this.#start ??= last?.id ?? '0-0'
    }
    return this.#start
  }
}

function messagesOf(reply: Reply | undefined): StreamMessage[] {
  return (reply as [Buffer, Buffer[]][]).map(([id, fields]) => {
    const message: Record<string, string> = {}
    for (let i = 0; i < fields.length; i += 2) message[String(fields[i])] = String(fields[i + 1])
    return { id: String(id), message }
  })
}
