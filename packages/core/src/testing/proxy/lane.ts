import type { Socket } from 'node:net'
import { clearRealTimeout, monotonicMs, setRealTimeout } from '../real-time.js'
import type { AfterDrop, Direction, FaultSettings, Trap } from './fault-settings.js'
import { ReplyScanner } from './reply-scanner.js'

/** So much may wait in one direction. Then the sender is not read from any more, and its own buffers fill up, as with a real network. */
const MOST_WAITING = 16 * 2 ** 20
/** Throttled data goes in pieces of so many milliseconds. */
const SLICE_MS = 20
const PUSH = '>'.charCodeAt(0)

interface Waiting {
  /** The end of the stream, and its breaking, keep their place behind the data. */
  what: Buffer | 'end' | 'break'
  readonly due: number
}

/** One direction of one connection: first in, first out, and only the head may wait. */
export class Lane {
  readonly #direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  /** Of the proxy and of the connection. */
  readonly #settings: readonly FaultSettings[]
  readonly #breakOff: () => void
  readonly #queue: Waiting[] = []
  readonly #scanner = new ReplyScanner()
  #waitingBytes = 0
  #freeAt = 0
  #timer: NodeJS.Timeout | undefined
  /** Something was lost, so that nothing that comes later could be understood. */
  #isDeaf = false
  /** The reply that is passing is one to be dropped, and then others pass again. */
  #drops = false

  constructor(direction: Direction, from: Socket, to: Socket, settings: readonly FaultSettings[], breakOff: () => void) {
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#settings = settings
    this.#breakOff = breakOff
    for (const { lanes } of settings) lanes.add(this)
    from.on('data', (chunk: Buffer) => this.#arrive(chunk))
    from.on('end', () => this.#add('end'))
    from.on('close', (hadError) => {
      if (hadError) this.#add('break')
    })
    to.on('drain', () => this.pump())
  }

  /** Whether one side has gone, the other was not told, and never will be. */
  get isOrphaned(): boolean {
    const hasGone = this.#from.readableEnded || this.#from.destroyed
    return this.#isDeaf && hasGone && !this.#to.destroyed && !this.#of((one) => one.isSwallowed)
  }

  pump(): void {
    clearRealTimeout(this.#timer)
    for (let head = this.#queue[0]; head !== undefined; head = this.#queue[0]) {
      if (this.#of((one) => one.isHeld) || this.#to.writableNeedDrain) break
      const wait = this.#waitFor(head)
      if (wait > 0) {
        this.#timer = setRealTimeout(() => this.pump(), wait).unref()
        break
      }
      this.#pass(head)
    }
    if (this.#waitingBytes > MOST_WAITING) this.#from.pause()
    else if (this.#from.isPaused()) this.#from.resume()
  }

  stop(): void {
    clearRealTimeout(this.#timer)
    for (const { lanes } of this.#settings) lanes.delete(this)
    this.#queue.length = 0
    this.#waitingBytes = 0
  }

  #of(is: (one: FaultSettings['up']) => boolean): boolean {
    return this.#settings.some((settings) => is(settings[this.#direction]))
  }

  #sum(amount: (one: FaultSettings['up']) => number): number {
    return this.#settings.reduce((sum, settings) => sum + amount(settings[this.#direction]), 0)
  }

  #arrive(chunk: Buffer): void {
    for (const { counts } of this.#settings) {
      counts[this.#direction].chunks++
      counts[this.#direction].bytes += chunk.length
    }
    this.#add(chunk)
  }

  #add(what: Waiting['what']): void {
    if (this.#isDeaf || this.#of((one) => one.isSwallowed)) {
      this.#isDeaf = true
      return
    }
    const delay = this.#sum((one) => one.delayMs + Math.random() * one.jitterMs)
    if (what instanceof Buffer) this.#waitingBytes += what.length
    this.#queue.push({ what, due: monotonicMs() + delay })
    this.pump()
  }

  #waitFor(head: Waiting): number {
    const isDelayed = this.#of((one) => one.delayMs + one.jitterMs > 0)
    const isThrottled = this.#of((one) => one.bytesPerSecond < Infinity)
    return Math.max(isDelayed ? head.due : 0, isThrottled ? this.#freeAt : 0) - monotonicMs()
  }

  /** Takes from the head of the queue as much as may go at once. */
  #pass(head: Waiting): void {
    if (!(head.what instanceof Buffer)) {
      this.#queue.shift()
      if (head.what === 'end') this.#to.end()
      else this.#breakOff()
      return
    }
    const rate = Math.min(...this.#settings.map((settings) => settings[this.#direction].bytesPerSecond))
    const length = Math.min(head.what.length, Math.max(1, Math.ceil((rate * SLICE_MS) / 1000)))
    const slice = head.what.subarray(0, length)
    if (length === head.what.length) this.#queue.shift()
    else head.what = head.what.subarray(length)
    this.#waitingBytes -= length
    this.#freeAt = Math.max(this.#freeAt, monotonicMs()) + (length / rate) * 1000
    this.#send(slice)
  }

  #send(bytes: Buffer): void {
    const cut = this.#cutIn(bytes)
    const whole = cut === undefined ? bytes : bytes.subarray(0, cut.left)
    if (this.#direction === 'down') this.#sendReplies(whole)
    else this.#write(whole)
    if (cut === undefined) return
    for (const settings of this.#settings) settings.spring(cut)
    this.#breakOff()
  }

  /** The trap that these bytes spring, if any; the others count them. */
  #cutIn(bytes: Buffer): Trap | undefined {
    let sprung: Trap | undefined
    for (const trap of this.#traps()) {
      if (trap.kind !== 'cut' || trap.direction !== this.#direction) continue
      if (trap.left <= bytes.length) sprung ??= trap
      else trap.left -= bytes.length
    }
    return sprung
  }

  #sendReplies(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      const after = this.#scanner.isAtStart && bytes[at] !== PUSH ? this.#replyTrap() : undefined
      if (after === 'reset') return
      if (after === 'silence') this.#isDeaf = true
      if (after === 'continue') this.#drops = true
      const end = this.#scanner.next(bytes, at)
      if (!this.#drops && !this.#isDeaf) this.#write(bytes.subarray(at, end < 0 ? bytes.length : end))
      if (end < 0) return
      this.#drops = false
      at = end
    }
  }

  /** Counts a reply that begins, and tells what is to become of it. */
  #replyTrap(): AfterDrop | undefined {
    const traps = this.#traps().filter((trap) => trap.kind === 'reply')
    for (const trap of traps) trap.left--
    const sprung = traps.find(({ left }) => left <= 0)
    if (sprung === undefined) return undefined
    for (const settings of this.#settings) {
      settings.spring(sprung)
      settings.counts.dropped++
    }
    if (sprung.after === 'reset') this.#breakOff()
    return sprung.after
  }

  #traps(): Trap[] {
    return this.#settings.flatMap(({ traps }) => traps)
  }

  #write(bytes: Buffer): void {
    if (bytes.length > 0 && !this.#to.destroyed) this.#to.write(bytes)
  }
}
