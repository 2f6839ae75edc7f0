import type { Load } from '../peers/index.js'
import type { Sample } from '../values.js'

/** A loader that counts: `key:7` gives the value with the id 7. */
export class CountedLoads {
  count = 0
  readonly load: Load

  /** @param before Waited for before each value is there; without it a load is done at once. */
  constructor(valueOf: (id: number) => Sample, before?: () => Promise<unknown>) {
    this.load =
      before === undefined
        ? async (key) => {
            this.count++
            return valueOf(idOf(key))
          }
        : async (key) => {
            this.count++
            await before()
            return valueOf(idOf(key))
          }
  }
}

export function keysOf(count: number): string[] {
  return Array.from({ length: count }, (_, id) => `key:${id}`)
}

function idOf(key: string): number {
  return Number(key.slice(key.lastIndexOf(':') + 1))
}
