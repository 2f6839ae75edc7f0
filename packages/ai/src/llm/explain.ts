import { canonical } from './canonical.js'
import type { ModelRequest } from './request.js'

/**
 * The names of what differs between two requests, such as `model`, `temperature` or `messages[2]`; none when they have the same key in the same scope. Nothing of their text.
 *
 * @throws {InvalidArgumentError} for a request that has no identity.
 */
export function differences(a: ModelRequest, b: ModelRequest): string[] {
  const parts = [...new Set([...partsOf(a).keys(), ...partsOf(b).keys()])]
  const [ofA, ofB] = [partsOf(a), partsOf(b)]
  return parts.filter((name) => ofA.get(name) !== ofB.get(name))
}

function partsOf({ provider, model, kind, input }: ModelRequest): Map<string, string> {
  const parts = new Map([
    ['provider', canonical(provider)],
    ['model', canonical(model)],
    ['kind', canonical(kind)],
  ])
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue
    if (!Array.isArray(value)) parts.set(name, canonical(value))
    else {
      // Two lists may be equal but for one being there and the other not.
      parts.set(name, '')
      value.forEach((item, i) => parts.set(`${name}[${i}]`, canonical(item)))
    }
  }
  return parts
}
