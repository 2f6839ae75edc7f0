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
  const bar = bytes.indexOf(0x7c)
  const digits = bar > 0 && bar <= 16 ? bytes.toString('latin1', 0, bar) : ''
  if (!/^\d+$/.test(digits)) return { number: undefined, message: undefined }
  const number = Number(digits)
  if (bytes.length > LONGEST_MESSAGE) return { number, message: undefined }
  try {
    return { number, message: asMessage(JSON.parse(bytes.toString('utf8', bar + 1))) }
  } catch {
    return { number, message: undefined }
  }
}

function asMessage(content: unknown): Message | undefined {
  if (!Array.isArray(content) || typeof content[0] !== 'string') return undefined
  const [sender, expires, path, keys, labels, third, note] = content as unknown[]
  if (content.length === 1) return { sender: sender as string, change: undefined }
  const pattern = third ?? undefined
  const fits =
    (expires === 0 || expires === 1) && typeof path === 'string' && isStrings(keys) && isStrings(labels) && isText(pattern) && isText(note)
  if (!fits) return undefined
  return { sender: sender as string, change: { mode: expires === 1 ? 'expire' : 'invalidate', path, keys, labels, pattern, note } }
}

function isText(text: unknown): text is string | undefined {
  return text === undefined || typeof text === 'string'
}

function isStrings(list: unknown): list is string[] {
  return Array.isArray(list) && list.every((item) => typeof item === 'string')
}
