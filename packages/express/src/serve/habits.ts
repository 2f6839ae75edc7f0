/** How long a key counts as one whose responses are not kept. */
const REMEMBERED_MS = 5000
const MOST_KEYS = 1000
/** One may be an accident. */
const TIMES = 2

/** Remembers keys whose responses are not kept, so that requests for them need not wait for one another. Bounded, and forgetful. */
export class Habits {
  readonly #unkept = new Map<string, { times: number; until: number }>()

  areUnkept(key: string): boolean {
    if (this.#unkept.size === 0) return false
    const noted = this.#unkept.get(key)
    return noted !== undefined && noted.times >= TIMES && performance.now() < noted.until
  }

  noteUnkept(key: string): void {
    const now = performance.now()
    const noted = this.#unkept.get(key)
    this.#unkept.delete(key)
    this.#unkept.set(key, { times: noted !== undefined && now < noted.until ? noted.times + 1 : 1, until: now + REMEMBERED_MS })
    if (this.#unkept.size > MOST_KEYS) for (const oldest of this.#unkept.keys()) return void this.#unkept.delete(oldest)
  }

  noteKept(key: string): void {
    this.#unkept.delete(key)
  }
}
