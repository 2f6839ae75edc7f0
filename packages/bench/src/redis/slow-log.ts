import type { NodeRedis } from './clients.js'

/** Microseconds. What is faster is not of interest. */
const FROM_US = 200
const MOST_ENTRIES = 10_000

/**
 * The longest that one command held the server up while `work` ran, in microseconds; `undefined` where the server does not let us configure its log. Nothing in
 * the log counts as the least that would be.
 */
export async function longestCommandOf(admin: NodeRedis, work: () => Promise<unknown>): Promise<number | undefined> {
  let settings: Record<string, string>
  try {
    settings = await admin.configGet('slowlog-*')
    await admin.configSet({ 'slowlog-log-slower-than': String(FROM_US), 'slowlog-max-len': String(MOST_ENTRIES) })
  } catch {
    await work()
    return undefined
  }
  try {
    const last = (await entries(admin))[0]?.id ?? -1
    await work()
    return Math.max(FROM_US, ...(await entries(admin)).filter(({ id }) => id > last).map(({ us }) => us))
  } finally {
    await admin.configSet(settings)
  }
}

async function entries(admin: NodeRedis): Promise<{ id: number; us: number }[]> {
  const found = (await admin.sendCommand(['SLOWLOG', 'GET', String(MOST_ENTRIES)])) as unknown as [number, number, number][]
  return found.map(([id, , us]) => ({ id, us }))
}
