/** One look at a page: which process answered, when it was asked and had answered, and the population it showed. */
export interface Reading {
  by: string
  began: number
  ended: number
  population: number
}

/** A population that the database has for certain since `at`, and the process it was changed through. */
export interface Update {
  by: string
  at: number
  population: number
}

/**
 * How old the reading was when it was asked for: how long somebody could have known better. 0 when it was right.
 * Populations only grow in the shows, so one from the past is one with too few people.
 */
export function ageOf({ began, population }: Reading, updates: readonly Update[]): number {
  const missed = updates.find((update) => update.at < began && update.population > population)
  return missed ? began - missed.at : 0
}
