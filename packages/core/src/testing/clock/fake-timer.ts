import { clearRealTimeout, setRealInterval, setRealTimeout } from '../real-time.js'

/** What Node's timers can count; it takes what is longer, or shorter than 1 ms, for 1 ms. */
const LONGEST_MS = 2 ** 31 - 1
/** Far from the numbers of real timers, which `clearTimeout` takes as well. */
let lastId = 2 ** 40

/** Who lets timers fire. */
export interface TimerKeeper {
  now(): number
  add(timer: FakeTimer): void
  remove(timer: FakeTimer): void
  /** One counts now, or no more, as a reason for the process to go on. */
  changed(): void
}

/** What `setTimeout` and `setInterval` give while a fake clock is there: all that a real one can. */
export class FakeTimer {
  readonly id = ++lastId
  due = 0
  readonly #keeper: TimerKeeper
  readonly #fire: () => void
  readonly #delayMs: number
  readonly #repeats: boolean
  #keepsAlive = true
  /** Once the fake clock is gone, it goes by real time. */
  #real: NodeJS.Timeout | undefined

  constructor(keeper: TimerKeeper, fire: () => void, delayMs: number, repeats: boolean) {
    this.#keeper = keeper
    this.#fire = fire
    this.#delayMs = delayMs >= 1 && delayMs <= LONGEST_MS ? Math.trunc(delayMs) : 1
    this.#repeats = repeats
    this.refresh()
  }

  fire(): void {
    if (this.#repeats) this.refresh()
    else this.#keeper.remove(this)
    this.#fire()
  }

  ref(): this {
    this.#keepsAlive = true
    this.#real?.ref()
    this.#keeper.changed()
    return this
  }

  unref(): this {
    this.#keepsAlive = false
    this.#real?.unref()
    this.#keeper.changed()
    return this
  }

  hasRef(): boolean {
    return this.#keepsAlive
  }

  refresh(): this {
    if (this.#real !== undefined) {
      this.#real.refresh()
      return this
    }
    this.#keeper.remove(this)
    this.due = this.#keeper.now() + this.#delayMs
    this.#keeper.add(this)
    return this
  }

  close(): this {
    clearRealTimeout(this.#real)
    this.#keeper.remove(this)
    return this
  }

  /** Lets it go on without the fake clock, with the time that it has left. */
  handOver(): void {
    this.#real = setRealTimeout(() => {
      if (this.#repeats) this.#real = this.#kept(setRealInterval(() => this.#fire(), this.#delayMs))
      else this.#keeper.remove(this)
      this.#fire()
    }, this.due - this.#keeper.now())
    this.#kept(this.#real)
  }

  [Symbol.toPrimitive](): number {
    return this.id
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #kept(real: NodeJS.Timeout): NodeJS.Timeout {
    return this.#keepsAlive ? real : real.unref()
  }
}
