import { InvalidArgumentError } from '../../errors/index.js'
import type { AfterDrop, Direction, FaultSettings } from './fault-settings.js'

export type Directions = Direction | 'both'

/** What can go wrong with one connection, or with all of a proxy, those to come included. Whatever passes stays in order. */
export abstract class Faults {
  readonly #settings: FaultSettings

  constructor(settings: FaultSettings) {
    this.#settings = settings
  }

  /** Breaks what is open, with RST: both sides are told at once, and what was under way is lost. */
  abstract reset(): void

  /**
   * Nothing passes until `resume`, and nobody is told. Then all of it passes, in order: a network that stood still, or a
   * server that was stopped.
   */
  pause(direction: Directions = 'both'): void {
    this.#each(direction, (one) => (one.isHeld = true))
  }

  resume(direction: Directions = 'both'): void {
    this.#each(direction, (one) => (one.isHeld = false))
  }

  /**
   * What is sent from now on is lost, and nobody is told: a half-open connection. One that lost something stays deaf in that
   * direction for good, also after `heal`, until one of its sides gives it up.
   */
  blackhole(direction: Directions = 'both'): void {
    this.#each(direction, (one) => (one.isSwallowed = true))
  }

  /**
   * Everything takes so much longer from now on.
   *
   * @param ms In each direction that is named; a round trip takes twice that.
   * @param jitterMs Up to so much more, at random. Nothing overtakes anything. Default 0.
   */
  delay(ms: number, { jitterMs = 0, direction = 'both' }: { readonly jitterMs?: number; readonly direction?: Directions } = {}): void {
    amount('ms', ms)
    amount('jitterMs', jitterMs)
    this.#each(direction, (one) => {
      one.delayMs = ms
      one.jitterMs = jitterMs
    })
  }

  /** No more than so many bytes pass in a second, in each direction of each connection. `Infinity` takes it back. */
  throttle(bytesPerSecond: number, direction: Directions = 'both'): void {
    if (!(bytesPerSecond > 0)) throw new InvalidArgumentError('bytesPerSecond must be more than 0')
    this.#each(direction, (one) => (one.bytesPerSecond = bytesPerSecond))
  }

  /**
   * The next reply of Redis does not arrive, or that many replies later: the command was executed, and nobody is told. Happens once.
   *
   * Pushes of RESP3 are no replies; messages to subscribers in RESP2 look like some and count. Through TLS nothing can be told apart, and nothing is dropped.
   *
   * @param nth Counts over all connections when asked of a proxy. Default 1, the next one.
   * @param after What becomes of the connection: `'reset'` breaks it, `'silence'` leaves it open and lets nothing more arrive, `'continue'` lets the next
   *   replies arrive, which a client takes for those of earlier commands. No network does the last; a faulty client or proxy may. Default `'reset'`.
   */
  dropReply({ nth = 1, after = 'reset' }: { readonly nth?: number; readonly after?: AfterDrop } = {}): void {
    whole('nth', nth)
    this.#settings.traps.push({ kind: 'reply', left: nth, after })
  }

  /**
   * Breaks the connection, with RST, when so many more bytes have passed. Happens once.
   *
   * @param bytes Counts over all connections when asked of a proxy.
   * @param direction Default `'down'`: in the middle of a reply.
   */
  cut(bytes: number, direction: Direction = 'down'): void {
    whole('bytes', bytes)
    this.#settings.traps.push({ kind: 'cut', left: bytes, direction })
  }

  /** Takes back all of that. What waits passes, in order; what is lost stays lost. */
  heal(): void {
    this.#settings.clear()
    this.#settings.changed()
  }

  #each(direction: Directions, change: (one: FaultSettings['up']) => void): void {
    if (direction !== 'down') change(this.#settings.up)
    if (direction !== 'up') change(this.#settings.down)
    this.#settings.changed()
  }
}

function amount(name: string, value: number): void {
  if (!(value >= 0 && value < Infinity)) throw new InvalidArgumentError(`${name} must be a number of milliseconds, 0 or more`)
}

function whole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError(`${name} must be a whole number, 1 or more`)
}
