import type { Credentials } from '../request/credentials.js'

/** How long a key counts as one whose responses are not kept. */
const REMEMBERED_MS = 5000
const MOST_KEYS = 1000
/** One may be an accident. */
const TIMES = 2

/** Remembers keys whose responses are not kept, so that requests for them need not wait for one another. Bounded, and forgetful. */
export class Habits {
  readonly #unkept = new Map<string, { times: number; until: number }>()

  areUnkept(key: string, credentials: Credentials): boolean {
    if (this.#unkept.size === 0) return false
    const noted = this.#unkept.get(nameOf(key, credentials))
    return noted !== undefined && noted.times >= TIMES && performance.now() < noted.until
  }

  noteUnkept(key: string, credentials: Credentials): void {
    const now = performance.now()
    const name = nameOf(key, credentials)
    const noted = this.#unkept.get(name)
    this.#unkept.delete(name)
    this.#unkept.set(name, { times: noted !== undefined && now < noted.until ? noted.times + 1 : 1, until: now + REMEMBERED_MS })
    if (this.#unkept.size > MOST_KEYS) for (const oldest of this.#unkept.keys()) return void this.#unkept.delete(oldest)
  }

  noteKept(key: string, credentials: Credentials): void {
    this.#unkept.delete(nameOf(key, credentials))
  }
}

/** For those with credentials apart: what is made for them may be kept for nobody. */
function nameOf(key: string, { authorization, cookie }: Credentials): string {
  return authorization || cookie ? `${key} *` : key
}
