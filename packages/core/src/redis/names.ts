import { createHash } from 'node:crypto'

/** Of the keys' layout. Processes with another one neither read nor disturb each other. */
const SCHEMA_VERSION = 1

const LONGEST_NAME = 200
const HEAD_OF_HASHED_NAME = 100
/** A hashed name does not end its head within an escape, and so may be shorter by one. */
const LONGEST_ESCAPE = 3
/** Marks a name that is a head and a hash. `%` is followed by two hexadecimal digits everywhere else. */
const HASH_MARK = '%#'

/**
 * The part of a Redis key that comes from a user's key, tag or room. Braces would move the key to another slot of a cluster, control characters
 * make it unreadable, and long ones cost memory in every command.
 */
export function encodeName(name: string): string {
  const encoded = NEEDS_ENCODING.test(name) ? name.replace(ALL_TO_ENCODE, percent) : name
  if (encoded.length <= LONGEST_NAME / 3 || Buffer.byteLength(encoded) <= LONGEST_NAME) return encoded
  const head = encoded.slice(0, HEAD_OF_HASHED_NAME).toWellFormed().replace(/%.?$/, '')
  return `${head}${HASH_MARK}${createHash('sha256').update(name).digest('base64url')}`
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const NEEDS_ENCODING = /[{}%\u0000-\u001f\u007f]/
// oxlint-disable-next-line no-control-regex -- as above
const ALL_TO_ENCODE = /[{}%\u0000-\u001f\u007f]/g

function percent(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

/** The user's key in the name of an entry; `undefined` when the name holds only a hash of it. */
export function decodeName(encoded: string): string | undefined {
  if (encoded.includes(HASH_MARK)) return undefined
  return encoded.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** The names of everything Tiercel keeps in Redis. `path` is that of a namespace, such as `tiercel:users`. */
export class RedisNames {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The value of a key. The braces make a cluster keep it in one slot with its lease. */
  entry(path: string, key: string): string {
    return `${this.#start(path)}${encodeName(key)}}:v`
  }

  lease(entry: string): string {
    return `${entry.slice(0, -1)}l`
  }

  /** A glob of Redis that finds at least the entries (`v`), or also the leases, of the namespace whose keys begin with `head`. */
  keysBeginning(path: string, head: string, kinds: 'v' | '[vl]'): string {
    return `${escapeGlob(`${this.#start(path)}${head.replace(ALL_TO_ENCODE, percent).slice(0, HEAD_OF_HASHED_NAME - LONGEST_ESCAPE)}`)}*}:${kinds}`
  }

  /** The entry that a name found by that glob belongs to, and its key if the name is not hashed; `undefined` when it is none of ours. */
  parse(path: string, name: string): { readonly entry: string; readonly key: string | undefined } | undefined {
    const start = this.#start(path)
    if (!name.startsWith(start) || !/\}:[vl]$/.test(name)) return undefined
    return { entry: `${name.slice(0, -1)}v`, key: decodeName(name.slice(start.length, -3)) }
  }

  /** The token of a namespace, a tag or a room, by its id in this process. */
  token(id: string): string {
    const [path, label] = splitTokenId(id)
    const scope = `${this.#prefix}${path}:${SCHEMA_VERSION}`
    const name = label.slice(1)
    if (label[0] === 'g') return `${scope}:g`
    if (label[0] === 'r') return `${scope}:t:@${encodeName(name)}`
    // A tag that begins like a room does is the only one that needs telling apart.
    return `${scope}:t:${name[0] === '@' ? `%40${encodeName(name.slice(1))}` : encodeName(name)}`
  }

  #start(path: string): string {
    return `${this.#prefix}${path}:${SCHEMA_VERSION}:{`
  }

  busSequence(path: string): string {
    return `${this.#prefix}${path}:${SCHEMA_VERSION}:bus:seq`
  }

  busChannel(path: string): string {
    return `${this.#prefix}${path}:${SCHEMA_VERSION}:bus`
  }

  /** Which server the namespace's entries were stored on. */
  run(path: string): string {
    return `${this.#prefix}${path}:${SCHEMA_VERSION}:run`
  }
}

/** A token's id is the path of its namespace, NUL, and a label: `g`, or `t` or `r` and the name of a tag or room. */
export function splitTokenId(id: string): [path: string, label: string] {
  const at = id.indexOf('\0')
  return [id.slice(0, at), id.slice(at + 1)]
}

function escapeGlob(text: string): string {
  return text.replace(/[*?[\]\\^]/g, '\\$&')
}
