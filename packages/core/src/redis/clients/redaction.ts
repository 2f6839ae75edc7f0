import { MissingPeerError, RedisError, RedisRefusedError, RedisUnavailableError, type RefusalReason } from '../../errors/index.js'

/**
 * Clients' errors hold what nobody may log: ioredis puts the whole command with its values or password on them, node-redis
 * a URL with its password into a message, and Redis itself repeats arguments in some replies. So nothing of a foreign
 * error is passed on but what is recognised here: a reply's first word, a command's or system error's name.
 */
export function redacted(error: unknown, where: string): RedisError {
  if (error instanceof RedisError) return error
  const message = messageOf(error)
  const code = systemCode(error)
  if (code === undefined) {
    const refused = refusal(message, where)
    if (refused !== undefined) return refused
  }
  return new RedisUnavailableError(`${where}: ${trouble(code, message)}`)
}

/** A cluster's node tells where a slot is served. The command was not executed. */
export class RedisRedirect extends RedisRefusedError {
  readonly kind: 'MOVED' | 'ASK'
  readonly slot: number
  /** Empty when the node does not know its own name: then it is the host that was asked. */
  readonly host: string
  readonly port: number

  constructor(kind: 'MOVED' | 'ASK', slot: number, host: string, port: number, where: string) {
    super('other', `${where} is a node of a Redis Cluster and does not serve this key: pass a cluster client instead of a URL, options or a client for one server`)
    this.kind = kind
    this.slot = slot
    this.host = host
    this.port = port
  }

  override get name(): string {
    return 'RedisRefusedError'
  }
}

/** Reply codes as Redis sends them, what they mean here, and what to do. */
const REFUSALS: Readonly<Record<string, readonly [RefusalReason, string]>> = {
  NOAUTH: ['auth', 'asks for a password and none was given: set username and password'],
  WRONGPASS: ['auth', 'does not accept this user name and password'],
  NOPERM: ['permission', 'does not permit this'],
  READONLY: ['readonly', 'is a read-only replica: connect to the primary'],
  OOM: ['oom', 'has reached maxmemory and may evict nothing: raise maxmemory, or set a maxmemory-policy such as allkeys-lru'],
  WRONGTYPE: ['wrongtype', 'holds another kind of value under this key: something else writes to the same names; set another prefix or name'],
  LOADING: ['loading', 'is still loading its data'],
  MASTERDOWN: ['loading', 'is a replica that has lost its primary'],
  BUSY: ['busy', 'is blocked by a script that runs too long'],
  CLUSTERDOWN: ['clusterdown', 'is part of a cluster that does not serve this slot at the moment'],
  TRYAGAIN: ['clusterdown', 'is moving this slot to another node'],
  NOSCRIPT: ['noscript', 'does not know this script'],
  CROSSSLOT: ['other', 'was sent keys of several slots in one command (CROSSSLOT)'],
  MISCONF: ['other', 'refuses writes because it cannot save to its disk (MISCONF)'],
  NOREPLICAS: ['other', 'refuses writes because too few replicas are connected (NOREPLICAS)'],
}

/** Errors without a code of their own. Only these patterns are looked for: the rest of such a text may repeat arguments. */
const PLAIN_ERRORS: readonly (readonly [RegExp, RefusalReason, string])[] = [
  [/^ERR invalid password|without any password configured|no password is set/i, 'auth', REFUSALS.WRONGPASS?.[1] ?? ''],
  [/user executing the script can'?t run this command|ACL failure in script/i, 'permission', 'does not permit a command that a script uses: grant it in the ACL'],
  [/^ERR max number of clients reached/, 'other', 'has reached maxclients'],
  [/^ERR DB index is out of range|^ERR invalid DB index/i, 'other', 'has no database of that number'],
  [/^ERR SELECT is not allowed in cluster mode/, 'other', 'is a cluster, which has only database 0'],
  [/^ERR unknown command/, 'other', 'does not know a command: it is too old, or the command was renamed'],
  [/^ERR (?:hash )?value is not (?:an integer|a valid float)|^ERR increment or decrement would overflow/, 'wrongtype', 'holds something that is no number under this key'],
]

function refusal(message: string, where: string): RedisRefusedError | undefined {
  const word = /^-?([A-Z][A-Z0-9]{1,19})(?: |$)/.exec(message)?.[1]
  if (word === undefined) return undefined
  const redirect = /^(MOVED|ASK) (\d{1,5}) ([^\s]{0,255}):(\d{1,5})$/.exec(message)
  if (redirect !== null) {
    const [, kind, slot, host = '', port] = redirect
    return new RedisRedirect(kind === 'ASK' ? 'ASK' : 'MOVED', Number(slot), host, Number(port), where)
  }
  const refused = (reason: RefusalReason, text: string) => new RedisRefusedError(reason, `${where} ${text}`)
  const plain = PLAIN_ERRORS.find(([pattern]) => pattern.test(message))
  if (plain !== undefined) return refused(plain[1], plain[2])
  if (word === 'NOPERM') return refused('permission', missingPermission(message))
  // Before Redis 7 a script's failure begins with ERR, and the code of the command that failed stands in the middle.
  const inScript = /user_script:\d+: -?([A-Z]{2,19}) /.exec(message)?.[1]
  const known = REFUSALS[inScript !== undefined && inScript in REFUSALS ? inScript : word]
  if (known !== undefined) return refused(known[0], known[1])
  return refused('other', `refused a command (${word})`)
}

/** The text names the command, key or channel; only a command's name is no data. */
function missingPermission(message: string): string {
  const command = /(?:run|execute) the '([a-z|_.-]{1,40})' command/i.exec(message)?.[1]
  if (command !== undefined) return `does not permit its user ${command.toUpperCase().replace('|', ' ')}: grant +${command.toLowerCase()} in the ACL`
  if (/channel/i.test(message)) return 'does not permit its user a channel: grant its name with & in the ACL'
  if (/key/i.test(message)) return 'does not permit its user a key: grant the prefix of its name with ~ in the ACL'
  return 'does not permit its user a command: see ACL LOG'
}

function trouble(code: string | undefined, message: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (ECONNREFUSED): check host and port, and that Redis runs'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its name cannot be resolved (${code})`
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `it cannot be reached (${code})`
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return `it does not speak TLS there (${code}): use redis: instead of rediss:, or its TLS port`
    case 'ECONNRESET':
    case 'EPIPE':
      return `the connection was lost (${code})`
    case undefined:
      return /time(d )?out/i.test(message) ? 'it does not answer' : 'the connection was lost'
    default:
      return /CERT|SIGNATURE|ISSUER|ALTNAME/.test(code) ? `its TLS certificate is not accepted (${code})` : `the connection failed (${code})`
  }
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { message } = error as { message?: unknown }
  return typeof message === 'string' ? message : ''
}

function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : undefined
}

export function missingPeer(): MissingPeerError {
  return new MissingPeerError('Redis needs a client, and neither can be loaded: npm install redis (or ioredis), version 5 or later')
}
