import { setImmediate as turn } from 'node:timers/promises'
import { compare } from '../comparison.js'
import { measure, type Subject } from '../measure.js'
import { expect } from '../misbehaviour.js'
import { peers, tiercel, type Peer } from '../peers/index.js'
import { medium, type Sample } from '../values.js'
import type { Benchmark } from './benchmark.js'
import { CountedLoads } from './counted-loads.js'

const READERS = 1000

/** Many who want the same key at the same moment, and it is not there. */
export const stampede: Benchmark = async ({ plan }) => {
  const all = [tiercel, ...peers].map((peer) => crowdOf(READERS, peer, peer === tiercel))
  const [us, ...theirs] = await measure(all.map(({ subject }) => subject), plan)
  expect(us !== undefined, 'nothing was measured')
  return {
    name: 'stampede',
    title: `${READERS.toLocaleString('en-US')} concurrent readers of a cold key, per reader`,
    comparisons: theirs.map((peer) => compare(medium.name, us, peer)),
    notes: [
      `Loader calls for ${READERS.toLocaleString('en-US')} readers: ${all.map(({ subject, most }) => `${subject.name} ${most()}`).join('; ')}.`,
      'The loader is done one turn of the event loop later. More than one call by Tiercel fails the benchmark.',
    ],
  }
}

interface Crowd {
  readonly subject: Subject
  /** The most loader calls that one pass cost. */
  most(): number
}

/** @param mustLoadOnce Fails when the loader runs more often for one key. */
export function crowdOf(readers: number, peer: Peer, mustLoadOnce: boolean): Crowd {
  const value = medium.make(1)
  const loads = new CountedLoads(() => value, () => turn())
  const reader = peer.open(loads.load)
  let most = 0
  let pass = 0
  return {
    subject: {
      name: peer.name,
      operations: readers,
      prepare() {
        loads.count = 0
        pass++
      },
      pass() {
        const key = `cold ${pass}:1`
        const reads: Promise<Sample>[] = []
        for (let i = 0; i < readers; i++) reads.push(reader.read(key))
        return Promise.all(reads)
      },
      check(values) {
        expect((values as Sample[]).every(({ id }) => id === value.id), `${peer.name} gave another value than was loaded`)
        expect(!mustLoadOnce || loads.count === 1, `the loader ran ${loads.count} times for one cold key`)
        most = Math.max(most, loads.count)
      },
    },
    most: () => most,
  }
}
