import { createHash } from 'node:crypto'

const MOST_KEYS = 10_000

/** Which keys were asked for before: the last ten to twenty thousand. */
export class Sightings {
  #recent = new Set<string>()
  #older = new Set<string>()

  /** Whether the key was seen before. From now on it was. */
  see(key: string): boolean {
    const name = createHash('sha256').update(key).digest('base64url').slice(0, 16)
    if (this.#recent.has(name)) return true
    const wasSeen = this.#older.has(name)
    if (this.#recent.size >= MOST_KEYS) {
      this.#older = this.#recent
      this.#recent = new Set()
    }
    this.#recent.add(name)
    return wasSeen
  }
}
