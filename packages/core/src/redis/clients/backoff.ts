const FIRST_MS = 50
const LONGEST_MS = 1000

/** How long to wait after so many failures: 50 ms, doubling to 1 s, of which up to half is left out at random. */
export function backoff(failures: number): number {
  const ms = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 10), LONGEST_MS)
  return ms * (1 - Math.random() / 2)
}
