import type { Backend } from '../backend/backend.js'
import { connectionsOf } from '../backend/connections.js'

/** What Redis was not told is told again so soon, as long as it does not take it. */
const RETRY_MS = 1000
/** So soon it is seen that there is another connection. It costs no command. */
const LOOK_MS = 500

export interface Beating {
  readonly everyMs: number
  beat(): Promise<void>
  /** Whether something is left to tell. */
  isBehind(): boolean
}

/** Beats in time; soon again while something is left to tell; and at once when Redis is back, or when there is another connection to it. One beat at a time. */
export class Heart {
  readonly #backend: Backend
  readonly #beating: Beating
  readonly #end: () => void
  #timers: NodeJS.Timeout[] = []
  #retry: NodeJS.Timeout | undefined
  #current: Promise<void> | undefined
  #connections: string | undefined
  #stopped = false

  constructor(backend: Backend, beating: Beating) {
    this.#backend = backend
    this.#beating = beating
    this.#end = backend.onState((state) => {
      if (state === 'up') void this.beat()
    })
  }

  /** Called twice it starts once. */
  start(): void {
    if (this.#timers.length > 0 || this.#stopped) return
    const look = () => void this.#lookForAnother().catch(() => {})
    look()
    this.#timers = [setInterval(() => void this.beat(), this.#beating.everyMs), setInterval(look, LOOK_MS)]
    for (const timer of this.#timers) timer.unref()
  }

  /** Never rejects. */
  beat(): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    this.#current ??= this.#beating
      .beat()
      .catch(() => {})
      .finally(() => {
        this.#current = undefined
        if (this.#beating.isBehind()) this.soon()
      })
    return this.#current
  }

  /** Redis may have refused a single command, and then nobody says that it takes them again. */
  soon(): void {
    if (this.#stopped) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.beat(), RETRY_MS)
    this.#retry.unref()
  }

  /** Resolves when the last beat is over. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#end()
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#retry)
    await this.#current
  }

  /** A Redis that was restarted in a moment when nothing was asked of it has lost what it had, and nobody has noticed. */
  async #lookForAnother(): Promise<void> {
    const before = this.#connections
    this.#connections = await connectionsOf(this.#backend.link)
    if (before !== undefined && before !== this.#connections) await this.beat()
  }
}
