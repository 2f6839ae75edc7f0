import { nameOf, places, type Place } from './places.js'

/** What is read from the database. */
export interface Row {
  readonly place: string
  readonly version: number
  /** The version that was current when the load that read this began. */
  readonly currentAtStart: number
}

/**
 * A database of versioned rows, and what a cache in front of it owes its readers: for each row the lowest version that a read beginning now may
 * be given.
 */
export class Database {
  readonly #versions = new Map(places.map((place) => [nameOf(place), 1]))
  readonly #owed = new Map(places.map((place) => [nameOf(place), 0]))
  readonly #owedFresh = new Map(places.map((place) => [nameOf(place), 0]))
  /** Rows that a load has said do not exist. */
  readonly absent = new Set<string>()

  version(place: Place): number {
    return this.#versions.get(nameOf(place)) as number
  }

  write(written: readonly Place[]): void {
    for (const place of written) this.#versions.set(nameOf(place), this.version(place) + 1)
  }

  /** The versions of now, to be owed once the invalidation that follows has resolved. */
  snapshot(of: readonly Place[]): ReadonlyMap<string, number> {
    return new Map(of.map((place) => [nameOf(place), this.version(place)]))
  }

  /** Nothing older may be served any more, not even as grace. */
  owe(versions: ReadonlyMap<string, number>): void {
    for (const [name, version] of versions) this.#owed.set(name, Math.max(version, this.#owed.get(name) as number))
    this.oweFresh(versions)
  }

  /** Nothing older may be served any more, but as grace. */
  oweFresh(versions: ReadonlyMap<string, number>): void {
    for (const [name, version] of versions) this.#owedFresh.set(name, Math.max(version, this.#owedFresh.get(name) as number))
  }

  owed(place: Place, orGrace: boolean): number {
    return (orGrace ? this.#owed : this.#owedFresh).get(nameOf(place)) as number
  }
}
