import type { Sample } from '../values.js'

/** Gives the value of a key that is not cached. */
export type Load = (key: string) => Promise<Sample>

/**
 * A cache under one interface: read-through, for five minutes, room for 10,000 entries where it has a bound. Whoever takes a loader with
 * every call is given a fresh closure with every call, as in an application; who takes it at the start gets it then.
 */
export interface Peer {
  readonly name: string
  /** Whether every reader is given a copy, and not the value that was loaded. */
  readonly copies: boolean
  open(load: Load): Reader
}

export interface Reader {
  read(key: string): Promise<Sample>
  /**
   * Reads one key after the other and adds up the ids. Each peer has this loop in its own file: with one for all, V8 could not inline
   * anybody's call, and the fast ones would look slower than they are.
   */
  readEach(keys: readonly string[]): Promise<number>
  close(): Promise<void>
}

export const ttlMs = 300_000
export const roomForEntries = 10_000
