import { createHash } from 'node:crypto'
import { RedisRefusedError } from '../../errors/index.js'
import type { Argument, Reply } from './reply.js'

/** A Lua script and the name Redis knows it by. */
export interface Script {
  readonly source: string
  readonly sha: string
}

export function defineScript(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/**
 * EVALSHA, then EVAL when the server does not know the script: after a restart, a failover or SCRIPT FLUSH. A refusal
 * with NOSCRIPT means that nothing was executed, so the second try cannot be a repetition. Both share one deadline.
 */
export async function runScript(
  send: (args: readonly Argument[], timeoutMs: number) => Promise<Reply>,
  script: Script,
  keys: readonly string[],
  args: readonly Argument[],
  timeoutMs: number,
): Promise<Reply> {
  const start = performance.now()
  const rest = [String(keys.length), ...keys, ...args]
  try {
    return await send(['EVALSHA', script.sha, ...rest], timeoutMs)
  } catch (error) {
    if (!(error instanceof RedisRefusedError) || error.reply !== 'noscript') throw error
  }
  return await send(['EVAL', script.source, ...rest], timeoutMs - (performance.now() - start))
}
