const code = (character: string): number => character.charCodeAt(0)

const SCALARS = new Set(Array.from('+-:_#,(', code))
const BULKS = new Set(Array.from('$=!', code))
const LISTS = new Set(Array.from('*~>', code))
const MAP = code('%')
const ATTRIBUTE = code('|')
const MINUS = code('-')
const NEWLINE = code('\n')
const [ZERO, NINE] = [code('0'), code('9')]

/**
 * Tells where replies of Redis end in a stream of bytes, in RESP2 and RESP3, without keeping any of them.
 *
 * Once it has met something else, such as TLS, there are no replies any more.
 */
export class ReplyScanner {
  /** Of the lists we are in, from the outermost: how many parts are to come. Attributes stand beside a reply, and are no part of it. */
  readonly #open: { left: number; readonly isAttribute: boolean }[] = []
  /** Of the header line we are in; 0 at the beginning of one. */
  #kind = 0
  #number = 0
  #isNegative = false
  /** Bytes of a string that are still to come, its line end included. */
  #skip = 0
  #isForeign = false

  /** Whether the next byte begins a reply. */
  get isAtStart(): boolean {
    return this.#open.length === 0 && this.#kind === 0 && this.#skip === 0 && !this.#isForeign
  }

  /** Reads on from `from`, and returns where the reply ends, or -1 when that is not in this chunk. */
  next(chunk: Buffer, from: number): number {
    let at = from
    while (at < chunk.length && !this.#isForeign) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, chunk.length - at)
        this.#skip -= skipped
        at += skipped
        if (this.#skip === 0 && this.#endPart()) return at
      } else if (this.#header(chunk[at++] ?? 0)) {
        return at
      }
    }
    return -1
  }

  /** One byte of a header line; `true` when a reply ends with it. */
  #header(byte: number): boolean {
    if (this.#kind === 0) {
      this.#kind = byte
      this.#isForeign = !(SCALARS.has(byte) || BULKS.has(byte) || LISTS.has(byte) || byte === MAP || byte === ATTRIBUTE)
    } else if (byte === NEWLINE) {
      return this.#endHeader()
    } else if (byte === MINUS) {
      this.#isNegative = true
    } else if (byte >= ZERO && byte <= NINE) {
      this.#number = this.#number * 10 + byte - ZERO
    }
    return false
  }

  #endHeader(): boolean {
    const kind = this.#kind
    const count = this.#isNegative ? -1 : this.#number
    this.#kind = 0
    this.#number = 0
    this.#isNegative = false
    if (SCALARS.has(kind) || count < 0) return this.#endPart()
    if (BULKS.has(kind)) {
      this.#skip = count + 2
      return false
    }
    const left = LISTS.has(kind) ? count : count * 2
    if (left === 0) return kind !== ATTRIBUTE && this.#endPart()
    this.#open.push({ left, isAttribute: kind === ATTRIBUTE })
    return false
  }

  #endPart(): boolean {
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      if (--last.left > 0) return false
      this.#open.pop()
      if (last.isAttribute) return false
    }
    return true
  }
}
