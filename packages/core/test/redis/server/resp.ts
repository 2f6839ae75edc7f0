import { connect, type Socket } from 'node:net'

export type Plain = string | number | null | Plain[]

/**
 * A client of a few lines, so that what the tests do to a server does not depend on the clients under test. Requests go
 * one by one; errors reject.
 */
export class PlainClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #failed: Error | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.unref()
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('connection closed')))
  }

  send(...args: readonly (string | number)[]): Promise<Plain> {
    const reply = this.#last.then(async () => {
      if (this.#failed !== undefined) throw this.#failed
      this.#socket.ref()
      this.#socket.write(`*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`).join('')}`)
      const value = await this.#read()
      this.#socket.unref()
      if (value instanceof Error) throw value
      return value
    })
    this.#last = reply.catch(() => {})
    return reply
  }

  close(): void {
    this.#socket.destroy()
  }

  #fail(error: Error): void {
    this.#failed ??= error
    this.#wake?.()
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n')
      if (end >= 0) return this.#take(end + 2).subarray(0, -2).toString()
      await this.#more()
    }
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length)
    this.#received = this.#received.subarray(length)
    return taken
  }

  async #more(): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  async #read(): Promise<Plain | Error> {
    const line = await this.#line()
    const rest = line.slice(1)
    if (line.startsWith('-')) return new Error(rest)
    if (line.startsWith(':')) return Number(rest)
    if (line.startsWith('$')) {
      const length = Number(rest)
      if (length < 0) return null
      while (this.#received.length < length + 2) await this.#more()
      return this.#take(length + 2).subarray(0, -2).toString()
    }
    if (!line.startsWith('*')) return rest
    if (Number(rest) < 0) return null
    const items: Plain[] = []
    for (let left = Number(rest); left > 0; left--) {
      const item = await this.#read()
      items.push(item instanceof Error ? item.message : item)
    }
    return items
  }
}
