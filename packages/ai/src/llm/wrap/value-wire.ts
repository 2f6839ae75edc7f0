import { copyIfData, copyOf, sizeOf } from '../plain-data.js'
import type { Usage } from '../usage.js'
import type { FinishReason, Outcome, Shape, Wire } from '../wire.js'

/** What is known of what a function has given. */
export interface WrapOutcome {
  /** Why the model stopped. Default `'stop'`. */
  readonly finish?: FinishReason | undefined
  readonly usage?: Usage | undefined
}

const data: Shape<unknown> = {
  pack: copyOf,
  unpack: copyOf,
  copy: copyIfData,
  bytesOf: sizeOf,
  // Nobody knows where it would say so.
  withoutUsage: (item) => item,
}

/** Whatever a function gives, as a value or one after the other. */
export function valueWire(outcomeOf: (result: unknown) => WrapOutcome | undefined): Wire<unknown, unknown> {
  const judged = (result: unknown, isEmpty: boolean): Outcome => {
    const { finish = 'stop', usage } = outcomeOf(result) ?? {}
    return { finish: [finish], isEmpty, usage, model: undefined }
  }
  return {
    name: 'value',
    part: data,
    whole: data,
    join: (parts) => parts,
    split: (whole) => (Array.isArray(whole) ? (whole as unknown[]) : [whole]),
    isLast: () => false,
    outcomeOfParts: (parts) => judged(parts, parts.length === 0),
    outcomeOfWhole: (whole) => judged(whole, whole === undefined || whole === null || whole === ''),
  }
}
