import type { Plan } from './measure.js'

/** How much to measure: all of it for the documentation, or quickly to see where one is. */
export interface Effort {
  readonly plan: Plan
  /** Rounds of what starts a process each time. */
  readonly processRounds: number
  readonly invalidationRounds: number
}

// Many short rounds rather than few long ones: where others use the processors too, each round is disturbed a little, and the
// median needs only half of them to be quiet.
export const full: Effort = { plan: { rounds: 25, sampleMs: 16, warmUpMs: 300 }, processRounds: 7, invalidationRounds: 7 }
export const quick: Effort = { plan: { rounds: 13, sampleMs: 10, warmUpMs: 80 }, processRounds: 5, invalidationRounds: 5 }
