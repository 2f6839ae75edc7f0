/** Beyond it the table is made anew; so is one of more, once as many have gone as are left. */
const FEW = 256

/**
 * A map of what is gone again in a moment, such as the reads under way.
 *
 * A `Map` from which things are deleted all the time moves to a new table again and again, and V8 lets each table hold the next one. As soon as one has grown old,
 * nothing that came later is ever collected young: the garbage of millions of calls is copied and promoted. So from time to time we begin with another map.
 */
export class BriefMap<Key, Value> {
  #map = new Map<Key, Value>()
  #gone = 0

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  set(key: Key, value: Value): void {
    this.#map.set(key, value)
  }

  delete(key: Key): void {
    if (!this.#map.delete(key) || ++this.#gone < FEW || this.#gone < this.#map.size) return
    this.#gone = 0
    this.#map = new Map(this.#map)
  }

  keys(): Iterable<Key> {
    return this.#map.keys()
  }
}
