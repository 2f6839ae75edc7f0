/** The messages of the bus that have left Redis and have not reached one process. */
export class MessageQueue {
  readonly #waiting: Buffer[] = []
  #isHeld = false
  /** The connection looks open, and nothing comes through it any more. */
  isDeaf = false

  /** Told of each message that is held. */
  onHeld: () => void = () => {}

  constructor(readonly deliver: (message: Buffer) => void) {}

  get size(): number {
    return this.#waiting.length
  }

  arrive(message: Buffer): void {
    if (this.isDeaf) return
    if (!this.#isHeld) return this.deliver(message)
    this.#waiting.push(message)
    this.onHeld()
  }

  hold(): void {
    this.#isHeld = true
  }

  /** Delivers the first of those held. */
  deliverOne(): void {
    const message = this.#waiting.shift()
    if (message !== undefined) this.deliver(message)
  }

  /** Delivers all, and holds no more. */
  release(): void {
    this.#isHeld = false
    while (this.#waiting.length > 0) this.deliverOne()
  }

  /** The first of those held never arrives. */
  loseOne(): void {
    this.#waiting.shift()
  }

  loseAll(): void {
    this.#waiting.length = 0
  }

  /** The first of those held arrives after the second. */
  swap(): void {
    const [first, second] = this.#waiting.splice(0, 2)
    this.#waiting.unshift(...[second, first].filter((message) => message !== undefined))
  }

  /** The first of those held arrives twice. */
  double(): void {
    const [first] = this.#waiting
    if (first !== undefined) this.#waiting.unshift(first)
  }
}
