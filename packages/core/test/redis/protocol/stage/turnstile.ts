/** Something on its way that a test has stopped. */
export interface Held {
  /** Resolves once it is there. */
  readonly arrived: Promise<void>
  /** Lets it go on. Before it is there: lets it pass. */
  release(): void
  /** Lets it come to nothing. */
  fail(error: Error): void
}

/** Stops what passes by under the names that are expected, each once. */
export class Turnstile {
  #expected: { readonly name: string; arrive(): void; readonly opened: Promise<void> }[] = []

  expect(name: string): Held {
    let arrive = () => {}
    let release = () => {}
    let fail: (error: Error) => void = () => {}
    const arrived = new Promise<void>((resolve) => (arrive = resolve))
    const opened = new Promise<void>((resolve, reject) => {
      release = resolve
      fail = reject
    })
    opened.catch(() => {})
    this.#expected.push({ name, arrive, opened })
    return { arrived, release, fail }
  }

  async pass(name: string): Promise<void> {
    const at = this.#expected.findIndex((expected) => expected.name === name)
    if (at < 0) return
    const [held] = this.#expected.splice(at, 1)
    held?.arrive()
    await held?.opened
  }
}
