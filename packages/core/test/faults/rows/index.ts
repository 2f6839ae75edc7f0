import type { LeftOut, Row } from '../row.js'
import { cacheRows } from './cache.js'
import { clusterRows } from './cluster.js'
import { dataRows } from './data.js'
import { networkRows } from './network.js'
import { refusalRows } from './refusals.js'
import { serverRows } from './server.js'

export const rows: readonly Row[] = [...serverRows, ...networkRows, ...refusalRows, ...dataRows, ...cacheRows, ...clusterRows]

export const leftOut: readonly LeftOut[] = [
  { fault: 'packets are lost or reordered', because: 'needs tc and the right to use it; to a program it is delay, which the proxy makes' },
  { fault: 'the clock of the machine jumps', because: 'nobody may set it here; Date jumps in its place, and Redis keeps its own time' },
  { fault: 'a slot of a cluster moves, ASK and MOVED', because: 'is in test/redis/clients/cluster-connection.test.ts' },
  { fault: 'a reading process is stopped', because: 'the soak does it all the time' },
  { fault: 'SIGTERM in the middle of writes', because: 'is in test/memory/process-end.test.ts' },
  { fault: 'entries of other versions', because: 'are in test/codec/entry.test.ts, byte by byte' },
]
