import { InvalidArgumentError } from '@tiercel/core'

/** The same text for the same values, whatever the order of their fields. Fields that are `undefined` count as absent. */
export function canonical(value: unknown, depth = 0): string {
  if (depth > 100) throw new InvalidArgumentError('The parameters of a query are nested too deep, or contain themselves')
  if (typeof value === 'bigint') return `${value}n`
  const plain: unknown = typeof value === 'object' && value !== null && 'toJSON' in value && typeof value.toJSON === 'function' ? (value.toJSON() as unknown) : value
  if (Array.isArray(plain)) return `[${plain.map((item) => canonical(item ?? null, depth + 1)).join()}]`
  if (typeof plain === 'object' && plain !== null) {
    const fields = Object.entries(plain).filter(([, field]) => field !== undefined)
    return `{${fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => `${JSON.stringify(name)}:${canonical(field, depth + 1)}`).join()}}`
  }
  if (typeof plain === 'function' || typeof plain === 'symbol') throw new InvalidArgumentError('The parameters of a query must be plain values')
  return plain === undefined ? '' : JSON.stringify(plain)
}
