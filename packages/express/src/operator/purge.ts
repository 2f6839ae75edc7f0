import type { IncomingMessage } from 'node:http'
import { TiercelError } from '@tiercel/core'
import { refusal, type Answer } from './answer.js'
import { figuresOf } from './figures.js'
import type { OperatorSource, PurgeTarget } from './source.js'

/** A purge names a few labels. */
const MAX_BODY_BYTES = 64 * 1024

const TOO_LARGE = Symbol('too large')

/** A request whose body another middleware may have read. */
type PossiblyParsed = IncomingMessage & { readonly body?: unknown }

/** Drops, in one source, what the body names: `{ "source": "pages", "tag": "users" }`. */
export async function purge(sources: ReadonlyMap<string, OperatorSource>, request: PossiblyParsed): Promise<Answer> {
  // A form of another site cannot send this type without asking first, so that a visit there purges nothing here.
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return refusal(415, 'Send what to purge as application/json')
  const body = await bodyOf(request)
  if (body === TOO_LARGE) return refusal(413, `What to purge is named in ${MAX_BODY_BYTES} bytes at most`)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return refusal(400, 'Say what to purge, such as { "source": "pages", "tag": "users" }')

  const { source: name, ...target } = body as { source?: unknown } & PurgeTarget
  const purgeable = [...sources].filter(([, source]) => typeof source.invalidate === 'function').map(([each]) => each)
  if (typeof name !== 'string' || !purgeable.includes(name)) return refusal(400, `source is one of: ${purgeable.join(', ')}`)
  try {
    const result = await sources.get(name)?.invalidate?.(target)
    return { status: 200, body: { source: name, result: figuresOf(result) ?? null } }
  } catch (error) {
    if (!TiercelError.is(error) || !error.code.startsWith('TIERCEL_INVALID')) throw error
    return refusal(400, error.message, error.code)
  }
}

/** The body as JSON; `undefined` when it is none. */
async function bodyOf(request: PossiblyParsed): Promise<unknown> {
  if (request.body !== undefined || request.readableEnded) return request.body
  const chunks: Buffer[] = []
  let bytes = 0
  // Not destroyed, or who sent too much would see a broken connection in place of the reason.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return TOO_LARGE
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
