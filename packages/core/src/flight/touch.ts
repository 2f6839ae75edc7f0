import { survey } from '../codec/index.js'
import { forget } from './forget.js'
import type { Scope } from './scope.js'

/** Gives a fresh value a new TTL. Resolves to whether there was one. */
export async function touch(scope: Scope, key: string, ttl: number): Promise<boolean> {
  const { remote, memory } = scope.shared
  if (remote !== undefined && (await remote.reachable())) return touchInRedis(scope, key, ttl)
  const now = performance.now()
  const entry = memory.get(scope.locate(key))
  if (entry === undefined || !scope.shared.mayServe(entry, now)) return false
  entry.renew(ttl, entry.deadAt - entry.staleAt, Math.floor(now))
  return true
}

/** The entry is written anew, since all of it but the soft expiry is under a checksum or seal; with the tokens it had, so that it lives no longer for that. */
async function touchInRedis(scope: Scope, key: string, ttl: number): Promise<boolean> {
  const { remote, valueLimits } = scope.shared
  if (remote === undefined) return false
  const { path } = scope
  const budget = remote.budget()
  try {
    const reading = remote.entries.read(path, key, scope.tokenIds([], undefined), budget)
    await reading.arrived
    const found = await remote.entries.judge(reading)
    if (found.state !== 'fresh') return false
    const decoded = await remote.entries.decode(found)
    if (decoded.corrupt !== undefined) return false
    const { header } = found
    const grace = header.expiresAt - header.softExpiresAt
    const { form } = survey(decoded.value, valueLimits)
    const bytes = await remote.entries.encode({ path, key, tokens: remote.entries.carriedBy(found) }, { value: decoded.value, form, ttl, freshMs: ttl, grace, etag: header.etag })
    if (!(await remote.entries.replace(found, path, key, bytes, ttl + grace, budget))) return false
    const change = { mode: 'invalidate', path, keys: [key], labels: [], pattern: undefined } as const
    // What is in memory, here and elsewhere, has the old TTL.
    forget(scope.shared, change)
    await remote.announce(change, budget)
    return true
  } catch (error) {
    remote.failed(error)
    return false
  }
}
