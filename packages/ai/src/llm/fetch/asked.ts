import { InvalidArgumentError } from '@tiercel/core'
import type { ModelRequest } from '../request.js'
import { requestOf } from './http-request.js'
import { isObject, type Json } from './json.js'
import { protocols } from './protocols/index.js'

/** What is asked by HTTP. */
export interface HttpAsked {
  readonly url: string | URL
  readonly body: object
  readonly headers?: Readonly<Record<string, string>> | Headers | undefined
}

/**
 * What is asked of a model, taken apart.
 *
 * @throws {InvalidArgumentError} for what is no call that is cached.
 */
export function requestIn(asked: HttpAsked | ModelRequest): ModelRequest {
  if (isObject(asked) && 'provider' in asked && isObject(asked.input)) return asked as unknown as ModelRequest
  const { url, body, headers } = (asked ?? {}) as HttpAsked
  const address = URL.canParse(String(url)) ? new URL(url) : undefined
  const protocol = protocols.find(({ path }) => address?.pathname.endsWith(path))
  const request = address && protocol && isObject(body) ? requestOf({ url: address, headers: new Headers(headers), body: body as Json }, protocol) : undefined
  if (request === undefined) throw new InvalidArgumentError('Give a call that is cached: { url, body } of one that goes over HTTP, or { provider, model, kind, input }')
  return request
}
