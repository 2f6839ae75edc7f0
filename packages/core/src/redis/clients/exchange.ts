import { RedisTimeoutError, type RedisError } from '../../errors/index.js'
import { startDeadline } from './deadline.js'
import type { Argument, Reply } from './reply.js'

/** A command and who waits for its reply. Settles once: by the reply, a refusal, the loss of the wire, or its deadline. */
export class Exchange {
  readonly promise: Promise<Reply>
  /** Let go once it is settled: what is still queued in a client is held there. */
  args: readonly Argument[]
  settled = false

  #resolve!: (reply: Reply) => void
  #reject!: (error: RedisError) => void
  readonly #stopDeadline: () => void

  constructor(args: readonly Argument[], timeoutMs: number, where: string) {
    this.args = args
    this.promise = new Promise<Reply>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#stopDeadline = startDeadline(timeoutMs, () => this.fail(new RedisTimeoutError(`${where}: no reply within ${Math.max(1, Math.round(timeoutMs))} ms`)))
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
    this.args = []
    this.#stopDeadline()
    return true
  }
}
