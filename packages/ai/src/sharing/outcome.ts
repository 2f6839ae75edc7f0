/** What somebody may wait for. Who waits is let go when it comes about, and when it is not to be expected for a while. */
export class Outcome {
  #promise: Promise<void> = Promise.resolve()
  #resolve = () => {}

  constructor() {
    this.#begin()
  }

  get promise(): Promise<void> {
    return this.#promise
  }

  /** It has come about. */
  settle(): void {
    this.#resolve()
  }

  /** It is still to come, but those who wait now are not to wait for it. */
  release(): void {
    this.#resolve()
    this.#begin()
  }

  #begin(): void {
    this.#promise = new Promise((resolve) => (this.#resolve = resolve))
  }
}
