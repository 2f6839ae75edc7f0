/** What can be queued: the place belongs to the queue. */
export interface Expiring {
  readonly deadline: number
  place: number
}

/** Not in the queue. */
export const NOWHERE = -1

/**
 * The next to expire first: a binary heap whose items know their place, so that taking one out of the middle is as cheap as adding one, and nothing is left behind by
 * values that are replaced.
 */
export class ExpiryQueue<T extends Expiring> {
  readonly #heap: T[] = []

  get first(): T | undefined {
    return this.#heap[0]
  }

  get size(): number {
    return this.#heap.length
  }

  add(item: T): void {
    this.#heap.push(item)
    this.#rise(item, this.#heap.length - 1)
  }

  remove(item: T): void {
    const { place } = item
    if (this.#heap[place] !== item) return
    item.place = NOWHERE
    const last = this.#heap.pop() as T
    if (last === item) return
    // The last one is as good as any to fill the gap, and then has to find its height.
    this.#rise(last, place)
    this.#sink(last, last.place)
  }

  clear(): void {
    this.#heap.length = 0
  }

  #rise(item: T, from: number): void {
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above] as T
      if (parent.deadline <= item.deadline) break
      this.#put(parent, place)
      place = above
    }
    this.#put(item, place)
  }

  #sink(item: T, from: number): void {
    let place = from
    for (;;) {
      const left = 2 * place + 1
      const right = left + 1
      let next = this.#heap[left]
      let at = left
      const other = this.#heap[right]
      if (next !== undefined && other !== undefined && other.deadline < next.deadline) {
        next = other
        at = right
      }
      if (next === undefined || next.deadline >= item.deadline) break
      this.#put(next, place)
      place = at
    }
    this.#put(item, place)
  }

  #put(item: T, place: number): void {
    this.#heap[place] = item
    item.place = place
  }
}
