/** Older ones are forgotten: whatever is asked about them is answered in favour of who is being checked. */
const MOST_STEPS = 4096

/** Which version was there from when on: both only grow. */
export class Steps {
  #times: number[] = []
  #versions: number[] = []

  add(time: number, version: number): void {
    if (version <= this.newest) return
    // What is told late counts from when the last one did, so that nobody is blamed for not having known it.
    this.#times.push(Math.max(time, this.#times.at(-1) ?? -Infinity))
    this.#versions.push(version)
    if (this.#times.length <= MOST_STEPS) return
    this.#times = this.#times.slice(MOST_STEPS / 2)
    this.#versions = this.#versions.slice(MOST_STEPS / 2)
  }

  get newest(): number {
    return this.#versions.at(-1) ?? -Infinity
  }

  /** The newest version that was there before that time. */
  before(time: number): number {
    const index = firstIndex(this.#times, (step) => step >= time)
    return this.#versions[index - 1] ?? -Infinity
  }

  /** The newest version that was there at that time. */
  at(time: number): number {
    const index = firstIndex(this.#times, (step) => step > time)
    return this.#versions[index - 1] ?? -Infinity
  }

  /** When the first version newer than that one was there; `Infinity` when there is none. */
  since(version: number): number {
    return this.#times[firstIndex(this.#versions, (step) => step > version)] ?? Infinity
  }
}

/** Of the first element of a sorted list that is so; its length when none is. */
function firstIndex(list: readonly number[], isSo: (element: number) => boolean): number {
  // What is asked about is mostly at the end.
  if (list.length === 0 || !isSo(list.at(-1) as number)) return list.length
  let [low, high] = [0, list.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isSo(list[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}
