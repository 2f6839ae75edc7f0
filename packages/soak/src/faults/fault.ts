import type { Random } from '../random.js'

/** Something that goes wrong for a while, and what is to be done that it is over. */
export interface Fault {
  readonly name: string
  /** Resolves to what ends it; nothing when it is over at once. */
  begin(random: Random): Promise<(() => Promise<void> | void) | void>
}
