/** What to forget, as it is told to other processes, kept for later in an outage, and done here. */
export interface Change {
  readonly mode: 'invalidate' | 'expire'
  /** The namespace. */
  readonly path: string
  readonly keys: readonly string[]
  /** Labels of tokens: `g` for the namespace itself, `t` or `r` and the name of a tag or room. */
  readonly labels: readonly string[]
  readonly pattern: string | undefined
  /** What those that are told make of it is theirs: the value, say. It is told with the change or not at all. */
  readonly note?: string | undefined
}

/** A longer message is not understood. */
const LONGEST_MESSAGE = 1_048_576

const MOST_NAMES_IN_A_PIECE = 250
const MOST_DIGITS = 16
const [ZERO, NINE, BAR] = [0x30, 0x39, 0x7c]
/** Every character takes at most six bytes in a message. */
const MOST_CHARACTERS_IN_A_PIECE = 131_072

/** A change in pieces that one script and one message can take. A pattern is in the first. */
export function piecesOf({ mode, path, keys, labels, pattern }: Change): Change[] {
  const pieces: { mode: Change['mode']; path: string; keys: string[]; labels: string[]; pattern: string | undefined }[] = []
  let names = MOST_NAMES_IN_A_PIECE
  let characters = 0
  const add = (kind: 'keys' | 'labels', name: string) => {
    if (names >= MOST_NAMES_IN_A_PIECE || characters + name.length > MOST_CHARACTERS_IN_A_PIECE) {
      pieces.push({ mode, path, keys: [], labels: [], pattern: pieces.length === 0 ? pattern : undefined })
      names = 0
      characters = 0
    }
    pieces.at(-1)?.[kind].push(name)
    names++
    characters += name.length
  }
  keys.forEach((key) => add('keys', key))
  labels.forEach((label) => add('labels', label))
  if (pieces.length === 0 && pattern !== undefined) pieces.push({ mode, path, keys: [], labels: [], pattern })
  return pieces
}

/** One message of the bus: who sent it and what changed. A hello changes nothing and only shows its sender that it is being heard. */
export interface Message {
  readonly sender: string
  readonly change: Change | undefined
}

export function encodeMessage({ sender, change }: Message): string {
  if (change === undefined) return JSON.stringify([sender])
  const { mode, path, keys, labels, pattern, note } = change
  const rest = note === undefined ? (pattern === undefined ? [] : [pattern]) : [pattern ?? null, note]
  return JSON.stringify([sender, mode === 'expire' ? 1 : 0, path, keys, labels, ...rest])
}

/** The number and the content of a message; no content when it makes no sense, no number when it is none of ours at all. */
export function decodeMessage(bytes: Buffer): { number: number | undefined; message: Message | undefined } {
  const bar = numberEnd(bytes)
  if (bar < 0) return { number: undefined, message: undefined }
  const number = Number(bytes.toString('latin1', 0, bar))
  if (bytes.length > LONGEST_MESSAGE) return { number, message: undefined }
  try {
    return { number, message: asMessage(JSON.parse(bytes.toString('utf8', bar + 1))) }
  } catch {
    return { number, message: undefined }
  }
}

/** Where the digits end, by a bar; negative when there are none, or too many. */
function numberEnd(bytes: Buffer): number {
  for (let i = 0; i <= MOST_DIGITS; i++) {
    const code = bytes[i]
    if (code === BAR) return i > 0 ? i : -1
    if (code === undefined || code < ZERO || code > NINE) return -1
  }
  return -1
}

// Nothing but what is cheap while it is still interpreted: a process hears a message now and then, and until it has, it serves what is old.
function asMessage(content: unknown): Message | undefined {
  if (!Array.isArray(content)) return undefined
  const list = content as unknown[]
  const sender = list[0]
  if (typeof sender !== 'string') return undefined
  if (list.length === 1) return { sender, change: undefined }
  const expires = list[1]
  const path = list[2]
  const keys = list[3]
  const labels = list[4]
  const pattern = list[5] ?? undefined
  const note = list[6]
  if ((expires !== 0 && expires !== 1) || typeof path !== 'string' || !isStrings(keys) || !isStrings(labels) || !isText(pattern) || !isText(note)) return undefined
  return { sender, change: { mode: expires === 1 ? 'expire' : 'invalidate', path, keys, labels, pattern, note } }
}

function isText(text: unknown): text is string | undefined {
  return text === undefined || typeof text === 'string'
}

function isStrings(list: unknown): list is string[] {
  return Array.isArray(list) && list.every((item) => typeof item === 'string')
}
