import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { InvalidArgumentError } from '../../errors/index.js'
import { toMs, type Duration } from '../../options/duration.js'
import { clearRealTimeout, monotonicMs, RealDate, realTurn, setRealImmediate, setRealTimeout } from '../real-time.js'
import { FakeTimer, type TimerKeeper } from './fake-timer.js'
import { replace, type Replacement } from './replacement.js'

export interface FakeClockOptions {
  /** What the time of day is at the beginning. Default what it is. */
  readonly date?: Date | number
  /**
   * Whether time also goes by while nobody advances it, as it really does. Then nothing stands still that does not belong to the test: connections, their timeouts,
   * a real Redis. Default `false`: nothing happens but by `advance`, and every millisecond is the test's.
   */
  readonly running?: boolean
}

let current: FakeClock | undefined

/**
 * Takes the time of this process into the test's hands: `setTimeout`, `setInterval` and their `clear`, the same of `node:timers` and `node:timers/promises`,
 * `performance.now` and `Date`. `setImmediate`, `process.hrtime`, `AbortSignal.timeout`, other processes and Redis keep the real time.
 *
 * What was made under it should be closed before it stops: the time of day and of `performance` go back to the real ones then.
 *
 * @throws {InvalidArgumentError} when there is one already.
 */
export function startFakeClock(options: FakeClockOptions = {}): FakeClock {
  if (current !== undefined) throw new InvalidArgumentError('there is a fake clock already: stop it first')
  current = new FakeClock(options)
  return current
}

export class FakeClock {
  readonly #timers: FakeTimer[] = []
  readonly #isRunning: boolean
  readonly #startedAt = monotonicMs()
  /** Whole, or what is added to it would be rounded: a test that moves by milliseconds wants to find them. */
  readonly #performanceAtStart = Math.ceil(performance.now())
  #dateAtStart: number
  /** How far it was advanced. */
  #advanced = 0
  #driver: NodeJS.Timeout | NodeJS.Immediate | undefined
  #last: Promise<void> = Promise.resolve()
  #isStopped = false
  readonly #giveBackTime: () => void
  readonly #giveBackClearing: () => void

  constructor({ date = RealDate.now(), running = false }: FakeClockOptions) {
    this.#isRunning = running
    this.#dateAtStart = Number(date)
    const keeper: TimerKeeper = {
      now: () => this.#elapsed,
      add: (timer) => this.#add(timer),
      remove: (timer) => this.#remove(timer),
      changed: () => this.#drive(),
    }
    this.#giveBackTime = replace(this.#time(keeper))
    this.#giveBackClearing = replace(this.#clearing())
  }

  /** How many timers are waiting for their time. */
  get timers(): number {
    return this.#timers.length
  }

  /**
   * Lets that much time pass. Each timer that comes due fires at its own time, in their order, and what it sets off gets a turn of the event loop before the next one.
   * What needs replies from elsewhere, such as from Redis, may not be over when this resolves.
   */
  advance(by: Duration): Promise<void> {
    const ms = toMs(by, 'the time to advance by')
    this.#last = this.#last.then(() => this.#advance(ms))
    return this.#last
  }

  /** Changes the time of day, as when somebody sets the machine's clock: timers and `performance.now` do not notice. */
  setDate(date: Date | number): void {
    this.#dateAtStart = Number(date) - this.#elapsed
  }

  /** Gives all of it back. Timers that are waiting go on by real time. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    current = undefined
    this.#driveNoMore()
    for (const timer of this.#timers) timer.handOver()
    this.#giveBackTime()
    this.#end()
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  get #elapsed(): number {
    return this.#advanced + (this.#isRunning ? monotonicMs() - this.#startedAt : 0)
  }

  async #advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await realTurn()
    for (let next = this.#timers[0]; next !== undefined && next.due <= until && !this.#isStopped; next = this.#timers[0]) {
      this.#moveTo(next.due)
      fire(next)
      await realTurn()
    }
    this.#moveTo(until)
    this.#drive()
  }

  #moveTo(elapsed: number): void {
    this.#advanced += Math.max(0, elapsed - this.#elapsed)
  }

  #add(timer: FakeTimer): void {
    // Mostly it comes last.
    let index = this.#timers.length
    while (index > 0 && (this.#timers[index - 1]?.due ?? 0) > timer.due) index--
    this.#timers.splice(index, 0, timer)
    this.#drive()
  }

  #remove(timer: FakeTimer): void {
    const index = this.#timers.indexOf(timer)
    if (index < 0) return
    this.#timers.splice(index, 1)
    this.#drive()
    this.#end()
  }

  /** Has the first timer fire when its time has come by itself. */
  #drive(): void {
    if (!this.#isRunning || this.#isStopped) return
    this.#driveNoMore()
    const [next] = this.#timers
    if (next === undefined) return
    const go = () => {
      const [due] = this.#timers
      if (due !== undefined && due.due <= this.#elapsed) fire(due)
      this.#drive()
    }
    const ms = next.due - this.#elapsed
    this.#driver = ms > 0 ? setRealTimeout(go, ms) : setRealImmediate(go)
    if (!this.#timers.some((timer) => timer.hasRef())) this.#driver.unref()
  }

  #driveNoMore(): void {
    clearRealTimeout(this.#driver as NodeJS.Timeout | undefined)
    clearImmediate(this.#driver as NodeJS.Immediate | undefined)
  }

  /** Timers that go on can be cleared for as long as there are any. */
  #end(): void {
    if (this.#isStopped && this.#timers.length === 0) this.#giveBackClearing()
  }

  #time(keeper: TimerKeeper): Replacement[] {
    const setter = (repeats: boolean) => (callback: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) => {
      if (typeof callback !== 'function') throw new TypeError('The "callback" argument must be of type function')
      return new FakeTimer(keeper, () => callback(...args), Number(ms), repeats)
    }
    const pause = <T>(ms?: number, value?: T, options: { readonly signal?: AbortSignal; readonly ref?: boolean } = {}) => pauseWith(keeper, Number(ms), value as T, options)
    const setTimeout = Object.assign(setter(false), { [promisify.custom]: pause })
    const setInterval = setter(true)
    async function* pauses<T>(...args: Parameters<typeof pause<T>>): AsyncGenerator<T> {
      for (;;) yield await pause(...args)
    }
    return [
      ...[globalThis, timers].flatMap((owner) => [
        { owner, name: 'setTimeout', value: setTimeout },
        { owner, name: 'setInterval', value: setInterval },
      ]),
      { owner: timersPromises, name: 'setTimeout', value: pause },
      { owner: timersPromises, name: 'setInterval', value: pauses },
      { owner: performance, name: 'now', value: () => this.#performanceAtStart + this.#elapsed },
      { owner: globalThis, name: 'Date', value: this.#date() },
    ]
  }

  #clearing(): Replacement[] {
    return ['clearTimeout', 'clearInterval'].flatMap((name) =>
      [globalThis, timers].map((owner) => {
        const real = Reflect.get(owner, name) as (timer: unknown) => void
        const value = (timer: unknown) => {
          // Asking a real timer for its number would have Node keep it.
          const isNumber = typeof timer === 'number' || typeof timer === 'string'
          const ours = timer instanceof FakeTimer ? timer : isNumber ? this.#timers.find(({ id }) => id === Number(timer)) : undefined
          if (ours === undefined) real(timer)
          else ours.close()
        }
        return { owner, name, value }
      }),
    )
  }

  /** `Date` itself, so that dates made before, under and after it are the same kind of thing; only what "now" is differs. */
  #date(): DateConstructor {
    const now = () => Math.floor(this.#dateAtStart + this.#elapsed)
    return new Proxy(RealDate, {
      construct: (target, args: unknown[], newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget) as Date,
      apply: () => new RealDate(now()).toString(),
      get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
    })
  }
}

/** What it throws is nobody's here, as with a real timer. */
function fire(timer: FakeTimer): void {
  try {
    timer.fire()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function pauseWith<T>(keeper: TimerKeeper, ms: number, value: T, { signal, ref = true }: { readonly signal?: AbortSignal; readonly ref?: boolean }): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      timer.close()
      reject(Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), { name: 'AbortError', code: 'ABORT_ERR' }))
    }
    const timer = new FakeTimer(keeper, () => {
      signal?.removeEventListener('abort', aborted)
      resolve(value)
    }, ms, false)
    if (!ref) timer.unref()
    if (signal?.aborted === true) aborted()
    else signal?.addEventListener('abort', aborted, { once: true })
  })
}
