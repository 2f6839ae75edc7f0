import { type ConnectionStatus, ClosedError, type Duration, InvalidArgumentError, RedisError } from '@tiercel/core'
import { defineScript, type OwnLink, toMs } from '@tiercel/core/connection'
import { type BackendChoice, type ChosenBackend, chooseBackend } from '../backend/choice.js'
import { wholeNumber } from '../backend/names.js'
import { PendingRevocations, type Revocation } from './pending.js'
import { identify, type Token } from './token.js'

const LONGEST_MS = 3650 * 86_400_000
/** What Redis does not have is sent again so soon, as long as it does not take it. */
const RETRY_MS = 1000
/** So many revocations are sent at once. */
const AT_ONCE = 100

/** Key: a revoked token. Argument: until when, in ms since 1970. The longest counts, so that it does not matter in which order they come, or how often. */
const revokeScript = defineScript(
  `local time = redis.call('TIME')
local left = tonumber(ARGV[1]) - time[1] * 1000 - math.floor(time[2] / 1000)
if left > 0 and left > redis.call('PTTL', KEYS[1]) then redis.call('SET', KEYS[1], '1', 'PXAT', string.format('%.0f', ARGV[1])) end
return 1`,
)

export interface DenylistOptions {
  /**
   * A folder for revocations that Redis does not have yet, so that they outlive the process. Processes of one machine may share it. Default: they are in memory only, and a
   * process that ends before Redis is back loses them.
   */
  readonly journal?: string
  /** So many revocations wait for Redis at most; more are refused. Without a Redis: so many there are at most. Default 100,000. */
  readonly maxPending?: number
  /** How long after its expiry a token may still be accepted by somebody whose clock is slow: it stays revoked that much longer. Default `'1m'`. */
  readonly leeway?: Duration
}

export interface RevokeOptions {
  /** When the token expires. Needed when the token does not say: when it is no JWT, or one without `exp`. */
  readonly expiresAt?: Date
}

/** What is known of a token. Not whether it is valid: that is for those to say who verify it. */
export type Verdict = 'revoked' | 'not-revoked' | 'unknown'

export interface DenylistStats {
  /** Revocations that Redis does not have yet. Without a Redis: all of them. */
  readonly pending: number
  /** How often since the beginning, as all that follow. */
  readonly revoked: number
  /** Of those, how many had to wait and reached Redis later. */
  readonly sentLater: number
  readonly checked: number
  /** Checks of a token that was revoked. */
  readonly denied: number
  /** Checks that Redis did not answer. */
  readonly unknown: number
}

export interface DenylistHealth {
  readonly healthy: boolean
  /** Revocations that Redis does not have yet. Without a Redis: all of them. */
  readonly pending: number
  readonly redis: ConnectionStatus
}

/**
 * Tokens that are not to be accepted any more although they have not expired. Neither tokens nor their ids are kept, only hashes, and each for as long as the token could
 * be accepted. Every check asks Redis, so a revocation counts for all processes at once.
 *
 * While Redis is away revocations count in this process, and are sent when it is back; no token is known not to be revoked.
 */
export class TokenDenylist {
  readonly #chosen: ChosenBackend
  readonly #link: OwnLink | undefined
  readonly #pending: PendingRevocations
  readonly #leewayMs: number
  readonly #counts = { revoked: 0, sentLater: 0, checked: 0, denied: 0, unknown: 0 }
  readonly #unhook: () => void
  #sending: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  constructor({ journal, maxPending = 100_000, leeway = '1m', ...choice }: DenylistOptions & BackendChoice = {}) {
    this.#leewayMs = toMs(leeway, 'leeway')
    this.#pending = new PendingRevocations(journal, wholeNumber(maxPending, 'maxPending', 1, 1_000_000))
    this.#chosen = chooseBackend(choice)
    const { backend } = this.#chosen
    this.#link = backend.link
    const ends = [backend.onState((state) => (state === 'up' ? void this.#send() : undefined)), backend.beforeClose(() => this.close())]
    this.#unhook = () => {
      for (const end of ends) end()
    }
    void this.#send()
  }

  /**
   * The token is not to be accepted any more, from now until it has expired.
   *
   * @returns `durable`: whether Redis has it. If not, it counts in this process, and Redis is sent it as soon as possible. Without a Redis `true`.
   * @throws {InvalidArgumentError} when nobody says when the token expires; {@link QueueFullError} when `maxPending` wait; the error of the file system when `journal` does not take it.
   * @example
   * await denylist.revoke(claims)
   * await denylist.revoke(sessionToken, { expiresAt: session.endsAt })
   */
  async revoke(token: Token, { expiresAt }: RevokeOptions = {}): Promise<{ readonly durable: boolean }> {
    if (this.#isClosed) throw new ClosedError('The denylist was closed')
    const known = identify(token)
    const at = expiresAt?.getTime() ?? known.expiresAt
    if (at === undefined || !(at > 0 && at < Date.now() + LONGEST_MS)) throw new InvalidArgumentError('When the token expires must be known: by its exp, or by expiresAt')
    const revocation = { hash: known.hash, until: at + this.#leewayMs }
    const isTold = this.#link !== undefined && (await this.#tell(revocation).then(() => true, whenAway(false)))
    if (!isTold) await this.#pending.add(revocation)
    this.#counts.revoked++
    if (!isTold) this.#sendLater()
    return { durable: isTold || this.#link === undefined }
  }

  /** Whether the token must not be accepted: it was revoked, or nobody knows because Redis does not answer. @throws {InvalidArgumentError} for what is no token. */
  async isRevoked(token: Token): Promise<boolean> {
    return (await this.check(token)) !== 'not-revoked'
  }

  /** As `isRevoked`, for those who answer differently when nobody knows. */
  async check(token: Token): Promise<Verdict> {
    const { hash } = identify(token)
    const verdict = this.#pending.has(hash) ? 'revoked' : await this.#ask(hash)
    this.#counts.checked++
    if (verdict === 'revoked') this.#counts.denied++
    if (verdict === 'unknown') this.#counts.unknown++
    return verdict
  }

  /** Counts of this object, and of this process only. */
  stats(): DenylistStats {
    return { pending: this.#pending.size, ...this.#counts }
  }

  /** Whether tokens can be checked. Does not ask Redis. */
  health(): DenylistHealth {
    const { backend } = this.#chosen
    return { healthy: !this.#isClosed && !backend.isAway, pending: this.#pending.size, redis: backend.getConnectionStatus() }
  }

  /** Tries once more to send what waits. Closes the backend only if it is its own. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#unhook()
    await this.#sending
    await this.#sendAll().catch(() => {})
    await this.#chosen.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #ask(hash: string): Promise<Verdict> {
    if (this.#isClosed) return 'unknown'
    if (this.#link === undefined) return 'not-revoked'
    const key = this.#key(hash)
    return await this.#link.send(['EXISTS', key], { route: key }).then((count) => (count === 0 ? 'not-revoked' : 'revoked'), whenAway('unknown'))
  }

  #tell({ hash, until }: Revocation): Promise<unknown> {
    return (this.#link as OwnLink).run(revokeScript, [this.#key(hash)], [String(until)])
  }

  #key(hash: string): string {
    return `${this.#chosen.backend.prefix}denied:${hash}`
  }

  /** What waits is sent, and what is left is sent later. Never rejects. */
  #send(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    clearTimeout(this.#retry)
    this.#sending ??= this.#sendAll()
      .catch(() => {})
      .finally(() => {
        this.#sending = undefined
        if (this.#pending.size > 0) this.#sendLater()
      })
    return this.#sending
  }

  #sendLater(): void {
    if (this.#isClosed || this.#link === undefined) return
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.#send(), RETRY_MS)
    this.#retry.unref()
  }

  async #sendAll(): Promise<void> {
    if (this.#link === undefined) return
    const waiting = this.#pending.all()
    for (let at = 0; at < waiting.length; at += AT_ONCE) {
      await Promise.all(
        waiting.slice(at, at + AT_ONCE).map(async (revocation) => {
          await this.#tell(revocation)
          await this.#pending.remove(revocation)
          this.#counts.sentLater++
        }),
      )
    }
  }
}

/** What is true when Redis cannot be asked. Other errors are none of its business. */
function whenAway<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RedisError) return value
    throw error
  }
}

/**
 * @throws {InvalidOptionError}
 * @example
 * const denylist = createDenylist({ redis: 'redis://localhost:6379', journal: '/var/lib/app/revocations' })
 * await denylist.revoke(claims)
 * await denylist.isRevoked(claims) // true
 */
export function createDenylist(options: DenylistOptions & BackendChoice = {}): TokenDenylist {
  return new TokenDenylist(options)
}
