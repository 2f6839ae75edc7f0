import type { RedisTarget } from '@tiercel/core'
import type { Backend } from '../../src/backend/backend.js'

/** What a piece works on while something goes wrong. */
export interface Stage {
  /** A process that the fault hits. */
  readonly hit: Backend
  /** Another one, that has its own way to Redis. */
  readonly other: Backend
  /** For those that do not stand on a backend: the way of the one that is hit. */
  readonly target: () => RedisTarget
  /** Whether what is confirmed now has to be there in the end. */
  readonly lasts: boolean
  /** One command from outside. */
  cli(...command: (string | number)[]): Promise<unknown>
}

export interface Working {
  /** What is done again and again. May reject with an error of Redis, if the piece says so. */
  operate(n: number): Promise<void>
  /** When it is over and nothing is under way any more: fails when the promise is broken. */
  check(): Promise<void>
  end?(): Promise<void>
}

export interface Piece {
  readonly name: string
  readonly promised: string
  /** The faults in which calls may be refused. Default: all. */
  readonly refusesOnly?: readonly string[]
  begin(stage: Stage): Promise<Working>
}
