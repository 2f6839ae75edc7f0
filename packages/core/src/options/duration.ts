import { InvalidOptionError } from '../errors/index.js'

export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w'

/** Milliseconds, or a number with a unit: `'250ms'`, `'5s'`, `'1.5h'`, `'7d'`. */
export type Duration = number | `${number}${DurationUnit}`

const MS_PER_UNIT: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** Ten years. Longer is a mistake in the unit more often than a wish, and would not survive the arithmetic of Redis. */
const LONGEST = 3650 * 86_400_000

/** What Node's timers can count. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * A duration in milliseconds, rounded to whole ones.
 *
 * @throws {InvalidOptionError} when it is no duration, negative, or out of range; the message names the option.
 */
export function toMs(duration: Duration, option: string): number {
  const ms = typeof duration === 'string' ? parse(duration, option) : duration
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    throw new InvalidOptionError(`${option} must be milliseconds or a duration such as '5m', not ${describe(duration)}`)
  }
  if (ms < 0) throw new InvalidOptionError(`${option} must not be negative; 0 means none`)
  if (ms > LONGEST) throw new InvalidOptionError(`${option} must be at most '3650d' (numbers are milliseconds)`)
  return Math.round(ms)
}

/** As `toMs`, for what is handed to a timer. */
export function toTimerMs(duration: Duration, option: string): number {
  const ms = toMs(duration, option)
  if (ms > LONGEST_TIMER) throw new InvalidOptionError(`${option} must be at most '24d': timers cannot wait longer`)
  return ms
}

function parse(text: string, option: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)(ms|s|m|h|d|w)$/.exec(text)
  if (match === null) {
    const negative = /^-\d/.test(text)
    throw new InvalidOptionError(
      negative ? `${option} must not be negative; 0 means none` : `${option} must be milliseconds or a duration such as '250ms', '5s', '5m', '1.5h' or '7d', not ${describe(text)}`,
    )
  }
  return Number(match[1]) * (MS_PER_UNIT[match[2] as string] as number)
}

function describe(value: unknown): string {
  return typeof value === 'string' ? `'${value.slice(0, 20)}'` : typeof value === 'number' ? String(value) : value === null ? 'null' : `a ${typeof value}`
}
