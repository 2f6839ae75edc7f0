import { isObject, type Json } from './json.js'

/** The same JSON with all numbers of tokens in it 0, wherever a protocol has its `usage`. */
export function withoutTokens(value: Json): Json {
  const { usage, response, message } = value
  return {
    ...value,
    ...(isObject(usage) ? { usage: zeroed(usage) } : {}),
    ...(isObject(response) ? { response: withoutTokens(response) } : {}),
    ...(isObject(message) ? { message: withoutTokens(message) } : {}),
  }
}

function zeroed(usage: Json): Json {
  return Object.fromEntries(Object.entries(usage).map(([name, value]) => [name, typeof value === 'number' ? 0 : isObject(value) ? zeroed(value) : value]))
}
