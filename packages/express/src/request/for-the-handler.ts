import type { IncomingHttpHeaders } from 'node:http'
import { isOtherMethod } from './forwarding.js'

/** Whether a GET or HEAD asks for what only the handler can do: it brings a body, is another method, is conditional on what is to be changed, or wants a stream. */
export function isForTheHandler(headers: IncomingHttpHeaders): boolean {
  return hasBody(headers) || isOtherMethod(headers) || headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined || wantsStream(headers)
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0')
}

function wantsStream(headers: IncomingHttpHeaders): boolean {
  return headers.upgrade !== undefined || headers.accept === 'text/event-stream'
}
