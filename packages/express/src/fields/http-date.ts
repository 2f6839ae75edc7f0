const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const IMF = /^(?:mon|tue|wed|thu|fri|sat|sun), (\d{2}) ([a-z]{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const RFC850 = /^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\d{2})-([a-z]{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) gmt$/i
const ASCTIME = /^(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/i

/** Milliseconds of an HTTP date in one of its three forms (RFC 9110, section 5.6.7), or `undefined`: `Date.parse` takes much that is none. */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const imf = IMF.exec(text)
  if (imf !== null) return toTime(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6])
  const rfc850 = RFC850.exec(text)
  if (rfc850 !== null) return toTime(fullYear(Number(rfc850[3])), rfc850[2], rfc850[1], rfc850[4], rfc850[5], rfc850[6])
  const asctime = ASCTIME.exec(text)
  return asctime === null ? undefined : toTime(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5])
}

/** Two digits that would be more than 50 years ahead are of the last century. */
function fullYear(short: number): number {
  const now = new Date().getUTCFullYear()
  const year = now - (now % 100) + short
  return year > now + 50 ? year - 100 : year
}

function toTime(year: string | number | undefined, month = '', ...rest: (string | undefined)[]): number | undefined {
  const [day = 0, hour = 0, minute = 0, second = 0] = rest.map(Number)
  const monthIndex = MONTHS.indexOf(month.toLowerCase())
  if (monthIndex < 0 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return undefined
  return Date.UTC(Number(year), monthIndex, day, hour, minute, second)
}
