import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from '../../../src/testing/index.js'
import { startRedis, type RedisServer } from '../server/index.js'

export interface Sentinel {
  readonly port: number
  /** Makes a replica the primary, as it does by itself when the primary is gone for longer. */
  failOver(): Promise<void>
  stop(): Promise<void>
}

/** A Sentinel that watches a primary under a name. */
export async function startSentinel(name: string, primary: RedisServer): Promise<Sentinel> {
  const folder = mkdtempSync(join(tmpdir(), 'tiercel-sentinel-'))
  const file = (of: string, text: string): string => {
    writeFileSync(join(folder, of), text)
    return join(folder, of)
  }
  const config = file('sentinel.conf', [`sentinel monitor ${name} 127.0.0.1 ${primary.port} 1`, `sentinel down-after-milliseconds ${name} 60000`, `sentinel failover-timeout ${name} 5000`, ''].join('\n'))
  // A Sentinel is the same program with a file of settings, in which it writes down what it learns.
  const executable = file('sentinel', `#!/bin/sh\nexec '${findRedisServer()}' '${config}' --sentinel "$@"\n`)
  chmodSync(executable, 0o700)
  const server = await startRedis({ executable })
  return {
    port: server.port,
    failOver: async () => void (await server.cli('SENTINEL', 'FAILOVER', name)),
    async stop() {
      await server.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
