/** Gathers what is handed in during one turn of the event loop, in order, and passes it on at the end of it. */
export class Turn<Item> {
  #items: Item[] = []
  readonly #pass: (items: readonly Item[]) => void

  constructor(pass: (items: readonly Item[]) => void) {
    this.#pass = pass
  }

  add(item: Item): void {
    this.#items.push(item)
    if (this.#items.length > 1) return
    setImmediate(() => {
      const items = this.#items
      this.#items = []
      this.#pass(items)
    })
  }
}
