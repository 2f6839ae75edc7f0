import type { AICacheStats, FamilyName } from '@tiercel/ai'

interface Kept {
  readonly key: string
  readonly value: unknown
  readonly expiresAt: number
}

/** The rules in the plainest words: a list for each family, the one used last at its end. It knows nothing of the package but the types of its figures. */
export class Model {
  readonly #lists: Record<FamilyName, Kept[]> = { search: [], recommendation: [], analytics: [], chat: [] }
  readonly #counts: Record<FamilyName, { hits: number; misses: number }>

  constructor(readonly sizes: Record<FamilyName, number>, readonly minutes: Record<FamilyName, number>, readonly now: () => number) {
    this.#counts = { search: zero(), recommendation: zero(), analytics: zero(), chat: zero() }
  }

  get(family: FamilyName, key: string): unknown {
    const list = this.#lists[family]
    const at = list.findIndex((kept) => kept.key === key)
    const kept = list[at]
    if (kept !== undefined) list.splice(at, 1)
    if (kept === undefined || this.now() > kept.expiresAt) {
      this.#counts[family].misses++
      return null
    }
    list.push(kept)
    if (kept.value) this.#counts[family].hits++
    else this.#counts[family].misses++
    return kept.value
  }

  set(family: FamilyName, key: string, value: unknown, ttlMinutes: number | undefined): void {
    this.#sweep(family)
    const list = this.#lists[family]
    const at = list.findIndex((kept) => kept.key === key)
    if (at >= 0) list.splice(at, 1)
    else if (list.length >= this.sizes[family]) list.shift()
    list.push({ key, value, expiresAt: this.now() + (ttlMinutes || this.minutes[family]) * 60_000 })
    this.#sweep(family)
  }

  drop(family: FamilyName, isDropped: (key: string) => boolean): void {
    this.#lists[family] = this.#lists[family].filter(({ key }) => !isDropped(key))
  }

  clear(): void {
    for (const family of Object.keys(this.#lists) as FamilyName[]) {
      this.#lists[family] = []
      this.#counts[family] = zero()
    }
  }

  stats(): AICacheStats {
    const of = (family: FamilyName) => {
      this.#sweep(family)
      return { ...this.#counts[family], size: this.#lists[family].length, maxSize: this.sizes[family] }
    }
    return { search: of('search'), recommendation: of('recommendation'), analytics: of('analytics'), chat: of('chat') }
  }

  ratio(family: FamilyName): number {
    const { hits, misses } = this.#counts[family]
    return hits + misses === 0 ? 0 : hits / (hits + misses)
  }

  #sweep(family: FamilyName): void {
    this.#lists[family] = this.#lists[family].filter(({ expiresAt }) => this.now() <= expiresAt)
  }
}

function zero(): { hits: number; misses: number } {
  return { hits: 0, misses: 0 }
}
