import { ServerResponse } from 'node:http'
import type { Sink } from './replay.js'

const endOfNode = ServerResponse.prototype.end
/** From about here on it costs more to copy a body than to send it as a second piece. */
const MOST_COPIED = 2048

/** Ends a response. As text, a small body leaves in one piece with its head; whoever has put itself in between is given the bytes. */
export function sendBody(sink: Sink, body: Buffer): void {
  if (body.length <= MOST_COPIED && sink.end === endOfNode) sink.end(body.toString('latin1'), 'latin1')
  else sink.end(body)
}
