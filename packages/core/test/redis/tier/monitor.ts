import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { RedisServer } from '../server/index.js'

export interface Executed {
  /** Who sent it: an address, or `lua` for what a script does. */
  readonly from: string
  readonly command: readonly string[]
}

/** What a Redis executes while `run` runs, in that order, by its own account. */
export async function executedDuring(redis: RedisServer, run: () => Promise<unknown>): Promise<Executed[]> {
  const socket = connect({ port: redis.port, host: '127.0.0.1' })
  const executed: Executed[] = []
  const mark = randomUUID()
  try {
    const lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })
    socket.write('MONITOR\r\n')
    await once(lines, 'line')
    const seen = new Promise<void>((resolve, reject) => {
      socket.on('close', () => reject(new Error('Redis has closed the connection')))
      lines.on('line', (line) => {
        const parsed = parse(line)
        if (parsed.command[1] === mark) resolve()
        else executed.push(parsed)
      })
    })
    seen.catch(() => {})
    await run()
    await redis.cli('ECHO', mark)
    await seen
  } finally {
    socket.destroy()
  }
  return executed
}

function parse(line: string): Executed {
  const [, from = '', rest = ''] = /^\+[\d.]+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? []
  return { from, command: Array.from(rest.matchAll(/"((?:[^"\\]|\\.)*)"/g), ([, argument]) => argument ?? '') }
}
