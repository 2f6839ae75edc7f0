import { fromJson, toJson } from '../backend/json.js'

export interface Sender {
  /** The `serverId` of the process. */
  readonly serverId?: string
  /** Which of possibly several that call themselves so. Left out of what everybody is to hear, the sender too. */
  readonly instance?: string
}

export interface Message extends Sender {
  readonly data: unknown
}

const SERVER = '@server'
const INSTANCE = '@instance'
const DATA = '@data'

/**
 * A message as JSON that others can read too: an object with one or two fields more, which say who sent it. What is no object is wrapped in one.
 *
 * @throws {InvalidArgumentError}
 */
export function encodeMessage(data: unknown, { serverId, instance }: Sender): string {
  const text = toJson(data, 'message')
  const isPlain = text.startsWith('{') && !(SERVER in (data as object)) && !(INSTANCE in (data as object)) && !(DATA in (data as object))
  const body = isPlain ? text.slice(1, -1) : `"${DATA}":${text}`
  const sender = JSON.stringify({ [SERVER]: serverId, [INSTANCE]: instance }).slice(1, -1)
  return `{${[body, sender].filter((part) => part !== '').join(',')}}`
}

/** What is not JSON, others have sent: it is given as the text it is. */
export function decodeMessage(text: string): Message {
  const parsed = fromJson(text)
  if (parsed === undefined) return { data: text }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return { data: parsed }
  const { [SERVER]: serverId, [INSTANCE]: instance, ...rest } = parsed as Record<string, unknown>
  return {
    data: DATA in rest ? rest[DATA] : rest,
    ...(typeof serverId === 'string' ? { serverId } : undefined),
    ...(typeof instance === 'string' ? { instance } : undefined),
  }
}
