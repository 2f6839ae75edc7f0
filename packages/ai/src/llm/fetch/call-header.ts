import { InvalidOptionError } from '@tiercel/core'
import type { LLMCallOptions } from '../call-options.js'

/** The header by which one call says how it is to be cached. No provider ever sees it. */
export const CALL_HEADER = 'x-tiercel-llm'

/**
 * Options as a header: JSON with nothing but ASCII in it, as headers have to be.
 *
 * @throws {InvalidOptionError} for what are no options.
 */
export function callHeaders(options: LLMCallOptions): Record<string, string> {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError("callHeaders takes the options of a call, such as { ttl: '1h' }")
  const json = JSON.stringify(options).replaceAll(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return { [CALL_HEADER]: json }
}

/** @throws {InvalidOptionError} for a header that is no JSON. */
export function optionsIn(headers: Headers): LLMCallOptions | undefined {
  const text = headers.get(CALL_HEADER)
  if (text === null) return undefined
  try {
    return JSON.parse(text) as LLMCallOptions
  } catch {
    throw new InvalidOptionError(`The header ${CALL_HEADER} is JSON with the options of a call, such as {"ttl":"1h"}`)
  }
}
