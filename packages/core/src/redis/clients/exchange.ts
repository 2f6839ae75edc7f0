import type { RedisError } from '../../errors/index.js'
import type { Argument, Reply } from './reply.js'

/** A command and who waits for its reply. Settles once: by the reply, a refusal, the loss of the wire, or its deadline. */
export class Exchange {
  readonly promise: Promise<Reply>
  /** Let go once it is settled: what is still queued in a client is held there. */
  args: readonly Argument[]
  readonly dueAt: number
  /** How many replies had come over the connection when it was sent. */
  repliesBefore = 0
  settled = false

  #resolve!: (reply: Reply) => void
  #reject!: (error: RedisError) => void

  constructor(args: readonly Argument[], readonly timeoutMs: number) {
    this.args = args
    this.dueAt = performance.now() + timeoutMs
    this.promise = new Promise<Reply>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  answer(reply: Reply): void {
    if (this.#settle()) this.#resolve(reply)
  }

  fail(error: RedisError): void {
    if (this.#settle()) this.#reject(error)
  }

  #settle(): boolean {
    if (this.settled) return false
    this.settled = true
    this.args = NONE
    return true
  }
}

const NONE: readonly Argument[] = []
