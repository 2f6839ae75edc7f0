import { connect, type Socket } from 'node:net'
import { TestServerError } from '../../errors/index.js'

export type CommandArgument = string | number | Uint8Array
export type CommandReply = string | number | null | CommandReply[]

/**
 * A client of a few lines, so that what tests do to a server does not depend on the clients under test, which it may have
 * none of. Requests go one by one; errors reject.
 */
export class PlainClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #wake: (() => void) | undefined
  #failed: TestServerError | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.unref()
    this.#socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake?.()
    })
    this.#socket.on('error', (error) => this.#fail(new TestServerError(error.message)))
    this.#socket.on('close', () => this.#fail(new TestServerError('connection closed')))
  }

  get hasFailed(): boolean {
    return this.#failed !== undefined
  }

  async authenticate(password: string): Promise<void> {
    try {
      await this.send(['AUTH', password])
    } catch (error) {
      this.close()
      throw error
    }
  }

  send(command: readonly CommandArgument[]): Promise<CommandReply> {
    const reply = this.#last.then(async () => {
      if (this.#failed !== undefined) throw this.#failed
      this.#socket.ref()
      this.#socket.write(encode(command))
      const value = await this.#read()
      this.#socket.unref()
      if (value instanceof TestServerError) throw value
      return value
    })
    this.#last = reply.catch(() => {})
    return reply
  }

  close(): void {
    this.#fail(new TestServerError('connection closed'))
    this.#socket.destroy()
  }

  #fail(error: TestServerError): void {
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

  async #read(): Promise<CommandReply | TestServerError> {
    const line = await this.#line()
    const rest = line.slice(1)
    if (line.startsWith('-')) return new TestServerError(rest)
    if (line.startsWith(':')) return Number(rest)
    if (line.startsWith('$')) {
      const length = Number(rest)
      if (length < 0) return null
      while (this.#received.length < length + 2) await this.#more()
      return this.#take(length + 2).subarray(0, -2).toString()
    }
    if (!line.startsWith('*')) return rest
    if (Number(rest) < 0) return null
    const items: CommandReply[] = []
    for (let left = Number(rest); left > 0; left--) {
      const item = await this.#read()
      items.push(item instanceof TestServerError ? item.message : item)
    }
    return items
  }
}

function encode(command: readonly CommandArgument[]): Buffer {
  const parts = [Buffer.from(`*${command.length}\r\n`)]
  for (const argument of command) {
    const bytes = typeof argument === 'object' ? argument : Buffer.from(String(argument))
    parts.push(Buffer.from(`$${bytes.length}\r\n`), Buffer.from(bytes), Buffer.from('\r\n'))
  }
  return Buffer.concat(parts)
}
