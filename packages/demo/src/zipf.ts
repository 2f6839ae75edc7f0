/** Numbers from 0 up to 1 that look random enough for a load and are the same at every run: a linear congruence. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * Draws from a list as visitors do: the first is asked for twice as often as the second, three times as often as the
 * third (Zipf's law, exponent 1).
 */
export function popular<Item>(items: readonly Item[], random: () => number): () => Item {
  let total = 0
  const upTo = items.map((_, rank) => (total += 1 / (rank + 1)))
  return () => {
    const drawn = random() * total
    let low = 0
    let high = items.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((upTo[middle] ?? Infinity) < drawn) low = middle + 1
      else high = middle
    }
    const item = items[low]
    if (item === undefined) throw new RangeError('There is nothing to draw from')
    return item
  }
}
