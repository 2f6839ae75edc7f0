import { setTimeout as pause } from 'node:timers/promises'
import type { Reading } from '../../readings.js'
import type { ServiceProcess } from '../../service-processes.js'
import type { City } from '../../world.js'

export interface Visit extends Reading {
  id: number
  failed: boolean
}

const visitorsOfEach = 8
const pauseBetweenVisits = 20

/** Visitors of both processes who look at one city after the other, without hurry and without end. */
export class SteadyLoad {
  readonly visits: Visit[] = []
  readonly #everyone: Promise<unknown>
  #isOver = false

  constructor(pair: readonly ServiceProcess[], nextCity: () => City) {
    this.#everyone = Promise.all(pair.flatMap((process) => Array.from({ length: visitorsOfEach }, () => this.#look(process, nextCity))))
  }

  /** Resolves when the last visitor has had an answer. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#everyone
  }

  async #look({ name, client }: ServiceProcess, nextCity: () => City): Promise<void> {
    while (!this.#isOver) {
      const { id } = nextCity()
      const began = performance.now()
      const answer = await client.get<Partial<City>>(`/cities/${id}`).catch(() => undefined)
      const population = answer?.body.population ?? NaN
      this.visits.push({ id, by: name, began, ended: performance.now(), population, failed: answer?.status !== 200 })
      await pause(pauseBetweenVisits)
    }
  }
}
