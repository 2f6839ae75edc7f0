import { BriefMap, type Gate, type Mechanisms } from '../coherence/index.js'
import type { Flight } from './flight.js'

/** The loads under way, one per key. */
export class Flights {
  readonly #byKey = new BriefMap<string, Flight>()
  #beginning = new Map<string, Flight>()
  /** All that have not landed: those in the map, and those an invalidation has taken out of it. */
  readonly #flying: Flight[] = []

  constructor(
    readonly mechanisms: Mechanisms,
    private readonly gate: () => Gate,
  ) {}

  get size(): number {
    return this.#flying.length
  }

  /** The flight that a call beginning now may join: none that began before an invalidation it would miss, or could miss. */
  joinable(key: string, mustStore: boolean): Flight | undefined {
    const flight = this.#byKey.get(key)
    if (flight === undefined || (mustStore && !flight.stores)) return undefined
    if (!flight.fence.holds && this.mechanisms.detach) return undefined
    return this.gate().admits(flight.fence.openedTime, performance.now()) ? flight : undefined
  }

  /**
   * The flight that a call past memory may join: one that was begun in the same breath, before anything was asked. Of any other it cannot know whether an
   * invalidation of which it has yet to hear came in between.
   */
  beginning(key: string, mustStore: boolean): Flight | undefined {
    const flight = this.#beginning.get(key)
    return flight !== undefined && flight.fence.holds && (!mustStore || flight.stores) ? flight : undefined
  }

  takeOff(flight: Flight, isPastMemory = false): void {
    flight.place = this.#flying.push(flight) - 1
    if (isPastMemory) this.#begin(flight)
    const before = this.#byKey.get(flight.fence.key)
    if (before?.fence.holds && before.stores) {
      // What is past memory fills none, and in Redis the lease decides.
      if (!flight.stores || isPastMemory) return
      // The load that began last is kept, whichever ends last.
      if (this.mechanisms.supersede) before.fence.broken = true
    }
    this.#byKey.set(flight.fence.key, flight)
  }

  /** A new map for each breath: from one that lives on, all would have to be deleted again, which costs more and leaves garbage that is collected late. */
  #begin(flight: Flight): void {
    if (this.#beginning.size === 0) queueMicrotask(() => (this.#beginning = new Map()))
    this.#beginning.set(flight.fence.key, flight)
  }

  land(flight: Flight): void {
    if (this.#byKey.get(flight.fence.key) === flight) this.#byKey.delete(flight.fence.key)
    // The last takes its place, so that nothing is looked for: every read that is not answered by memory comes by here.
    const last = this.#flying.pop()
    if (last === undefined || last === flight) return
    last.place = flight.place
    this.#flying[last.place] = last
  }

  all(): readonly Flight[] {
    return [...this.#flying]
  }
}
