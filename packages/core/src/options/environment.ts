import { InvalidEnvironmentError } from '../errors/index.js'
import type { CacheOptions } from './options.js'

/** What `cacheOptionsFromEnv` makes of the environment. */
export type EnvironmentOptions = Pick<CacheOptions, 'redis' | 'prefix' | 'ttl' | 'deadline' | 'connectTimeout' | 'serverId'>

const ON = new Set(['true', '1', 'yes', 'on'])
const OFF = new Set(['false', '0', 'no', 'off'])

/**
 * Options from environment variables, each checked: a bad value is refused by the variable's name, and never shown.
 *
 * | variable | default | becomes |
 * |---|---|---|
 * | `REDIS_ENABLED` | `true` if `REDIS_URL` or `REDIS_HOST` is set | `redis: false` when off |
 * | `REDIS_URL` | | `redis` |
 * | `REDIS_HOST`, `REDIS_PORT`, `REDIS_PASSWORD`, `REDIS_DB` | `localhost`, 6379, none, 0 | `redis`, without `REDIS_URL` |
 * | `REDIS_KEY_PREFIX`, `REDIS_PREFIX` | none | `prefix` |
 * | `REDIS_TTL` | 3600 seconds | `ttl` |
 * | `REDIS_COMMAND_TIMEOUT` | 250 ms | `deadline` |
 * | `REDIS_CONNECT_TIMEOUT` | 5000 ms | `connectTimeout` |
 * | `SERVER_ID` | a random name | `serverId` |
 *
 * `REDIS_MAX_RETRIES` and `REDIS_RETRY_DELAY_ON_FAILURE` are checked and not used: a cache never sends a command twice, and tries to connect for as long as it is open.
 *
 * @throws {InvalidEnvironmentError}
 * @example
 * const cache = createCache({ ...cacheOptionsFromEnv(process.env), grace: '10m' })
 */
export function cacheOptionsFromEnv(env: Readonly<Record<string, string | undefined>>): EnvironmentOptions {
  wholeNumber(env, 'REDIS_MAX_RETRIES', 0, 1_000_000)
  wholeNumber(env, 'REDIS_RETRY_DELAY_ON_FAILURE', 0, 2 ** 31 - 1)
  const prefix = prefixOf(env)
  const deadline = wholeNumber(env, 'REDIS_COMMAND_TIMEOUT', 1, 2 ** 31 - 1)
  const connectTimeout = wholeNumber(env, 'REDIS_CONNECT_TIMEOUT', 1, 2 ** 31 - 1)
  const serverId = matching(env, 'SERVER_ID', /^[\x21-\x7e]{1,64}$/, '1 to 64 printable ASCII characters without spaces')
  return {
    redis: redisOf(env),
    ttl: (wholeNumber(env, 'REDIS_TTL', 1, 315_360_000) ?? 3600) * 1000,
    ...(prefix === undefined ? undefined : { prefix }),
    ...(deadline === undefined ? undefined : { deadline }),
    ...(connectTimeout === undefined ? undefined : { connectTimeout }),
    ...(serverId === undefined ? undefined : { serverId }),
  }
}

function redisOf(env: Readonly<Record<string, string | undefined>>): NonNullable<CacheOptions['redis']> {
  const url = urlOf(env)
  const host = matching(env, 'REDIS_HOST', /^[A-Za-z0-9._:-]{1,255}$/, 'a host name or address')
  const port = wholeNumber(env, 'REDIS_PORT', 1, 65_535)
  const database = wholeNumber(env, 'REDIS_DB', 0, 1_000_000)
  const password = given(env, 'REDIS_PASSWORD')
  const isEnabled = onOrOff(env, 'REDIS_ENABLED') ?? (url !== undefined || host !== undefined)
  if (!isEnabled) return false
  if (url !== undefined) return url
  return {
    host: host ?? 'localhost',
    port: port ?? 6379,
    ...(password === undefined ? undefined : { password }),
    ...(database === undefined ? undefined : { database }),
  }
}

function urlOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const url = given(env, 'REDIS_URL')
  if (url === undefined) return undefined
  // Neither the value nor what the parser says of it may be shown: it holds the password.
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol)) {
    throw new InvalidEnvironmentError('REDIS_URL must be a URL that begins with redis:// or rediss:// (characters such as @ and / in a password are percent-encoded)')
  }
  return url
}

function prefixOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const allowed = /^[A-Za-z0-9_.:-]{1,64}$/
  const says = 'at most 64 letters, digits, dots, underscores, hyphens and colons'
  const long = matching(env, 'REDIS_KEY_PREFIX', allowed, says)
  const short = matching(env, 'REDIS_PREFIX', allowed, says)
  if (long !== undefined && short !== undefined && long !== short) {
    throw new InvalidEnvironmentError('REDIS_KEY_PREFIX and REDIS_PREFIX differ: set one of them')
  }
  return long ?? short
}

/** An empty variable is one that is not set: compose files and CI settings make such. */
function given(env: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  const value = env[name]
  return value === undefined || value === '' ? undefined : value
}

function matching(env: Readonly<Record<string, string | undefined>>, name: string, allowed: RegExp, says: string): string | undefined {
  const value = given(env, name)
  if (value !== undefined && !allowed.test(value)) throw new InvalidEnvironmentError(`${name} must be ${says}`)
  return value
}

function wholeNumber(env: Readonly<Record<string, string | undefined>>, name: string, least: number, most: number): number | undefined {
  const value = given(env, name)?.trim()
  if (value === undefined) return undefined
  const number = /^\d{1,12}$/.test(value) ? Number(value) : Number.NaN
  if (!(number >= least && number <= most)) throw new InvalidEnvironmentError(`${name} must be a whole number from ${least} to ${most}`)
  return number
}

function onOrOff(env: Readonly<Record<string, string | undefined>>, name: string): boolean | undefined {
  const value = given(env, name)?.trim().toLowerCase()
  if (value === undefined) return undefined
  if (ON.has(value)) return true
  if (OFF.has(value)) return false
  throw new InvalidEnvironmentError(`${name} must be true or false`)
}
