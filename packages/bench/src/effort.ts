import type { Plan } from './measure.js'

/** How much to measure: all of it for the documentation, or quickly to see where one is. */
export interface Effort {
  readonly plan: Plan
  /** Rounds of what starts a process each time. */
  readonly processRounds: number
  readonly invalidationRounds: number
  readonly http: HttpEffort
  readonly redis: RedisEffort
}

/** For what goes over HTTP, in a process of its own. */
export interface HttpEffort {
  readonly rounds: number
  readonly requests: number
  readonly warmUpRequests: number
  /** Pages of 1 KB that are kept to see what they take. */
  readonly pages: number
}

/** For what goes to Redis and to other processes. */
export interface RedisEffort {
  readonly plan: Plan
  /** How many read at a time, of small values and of large ones. */
  readonly readers: readonly number[]
  readonly readsLarge: readonly number[]
  /** Rounds of many processes that want one cold key. */
  readonly coldRounds: number
  /** Members of the large room, which are also the keys that a pattern is looked for among. */
  readonly members: number
  readonly roomRounds: number
  readonly sweeps: number
  readonly deliveries: number
}

const redisFull: RedisEffort = {
  plan: { rounds: 15, sampleMs: 80, warmUpMs: 1000 },
  readers: [1, 16, 64, 256],
  readsLarge: [1, 64],
  coldRounds: 7,
  members: 1_000_000,
  roomRounds: 50,
  sweeps: 5,
  deliveries: 400,
}
const redisQuick: RedisEffort = {
  plan: { rounds: 9, sampleMs: 20, warmUpMs: 250 },
  readers: [1, 64],
  readsLarge: [],
  coldRounds: 2,
  members: 50_000,
  roomRounds: 30,
  sweeps: 3,
  deliveries: 80,
}

// Many short rounds rather than few long ones: where others use the processors too, each round is disturbed a little, and the
// median needs only half of them to be quiet.
export const full: Effort = { plan: { rounds: 25, sampleMs: 16, warmUpMs: 300 }, processRounds: 7, invalidationRounds: 7, http: { rounds: 180, requests: 500, warmUpRequests: 6000, pages: 20_000 }, redis: redisFull }
export const quick: Effort = { plan: { rounds: 9, sampleMs: 8, warmUpMs: 50 }, processRounds: 3, invalidationRounds: 5, http: { rounds: 7, requests: 1000, warmUpRequests: 1500, pages: 5000 }, redis: redisQuick }
