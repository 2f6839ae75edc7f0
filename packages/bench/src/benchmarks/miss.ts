import { compare, type Comparison } from '../comparison.js'
import type { Effort } from '../effort.js'
import { measure, type Subject } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { peers, tiercel, type Peer, type Reader } from '../peers/index.js'
import { medium, small, type Shape } from '../values.js'
import type { Benchmark } from './benchmark.js'
import { CountedLoads, keysOf } from './counted-loads.js'

const KEYS = 250

/** What it costs to find nothing, run a loader that is done at once, and keep what it gives. */
export const miss: Benchmark = async (effort) => ({
  name: 'miss',
  title: `A miss with a loader that is done at once, ${KEYS.toLocaleString('en-US')} keys into an empty cache`,
  comparisons: [...(await missesOf(small, KEYS, effort)), ...(await missesOf(medium, KEYS, effort))],
  notes: ['Tiercel looks every value over before it keeps it (how large it is, and whether Redis could hold it), so a miss grows with the value, also where nobody copies.'],
})

export async function missesOf(shape: Shape, count: number, { plan }: Effort): Promise<Comparison[]> {
  const values = Array.from({ length: count }, (_, id) => shape.make(id))
  const subjects = [tiercel, ...peers].map((peer) => missesInto(peer, values))
  const [us, ...theirs] = await measure(subjects, plan)
  expect(us !== undefined, 'nothing was measured')
  return theirs.map((peer) => compare(shape.name, us, peer))
}

function missesInto(peer: Peer, values: readonly { readonly id: number }[]): Subject {
  const keys = keysOf(values.length)
  const expected = values.reduce((sum, { id }) => sum + id, 0)
  let loads: CountedLoads
  let reader: Reader | undefined
  return {
    name: peer.name,
    operations: keys.length,
    prepare() {
      loads = new CountedLoads((id) => values[id] as { id: number })
      reader = peer.open(loads.load)
    },
    pass: () => reader?.readEach(keys),
    check(sum) {
      expect(sum === expected, `${peer.name} gave other values than were loaded`)
      expect(loads.count === keys.length, `${peer.name} loaded ${loads.count} times for ${keys.length} misses`)
    },
    dispose: () => reader?.close(),
  }
}
