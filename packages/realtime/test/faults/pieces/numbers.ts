/** As they must be when each came once, in the order they were sent: some may be missing. */
export function inOrder(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}
