import { stateOf, TokenState, type Token } from '../coherence/index.js'
import { Counters } from '../observe/index.js'
import { resolveDefaults, type EntryOptions, type Policy } from '../options/index.js'
import type { Shared } from './shared.js'

/** One namespace: where its keys, tags and figures are within what is shared. */
export class Scope {
  /** The full path, such as `tiercel:users`. */
  readonly path: string
  readonly counters: Counters
  /** Ids of the tokens of this namespace and of those above it. Invalidating one of those reaches all below. */
  readonly #namespaceIds: readonly string[]
  readonly #keyPrefix: string
  #namespaceTokens: readonly Token[] = []
  #options: EntryOptions
  #defaults: Policy

  constructor(
    readonly shared: Shared,
    readonly levels: readonly string[],
    readonly parent: Scope | undefined,
    options: EntryOptions,
  ) {
    this.#options = options
    this.#defaults = resolveDefaults(options, parent?.defaults)
    this.path = levels.join(':')
    this.counters = parent === undefined ? shared.counters : new Counters(parent.counters)
    this.#namespaceIds = levels.map((_, i) => namespaceTokenId(levels.slice(0, i + 1).join(':')))
    this.#keyPrefix = shared.locations.prefixOf(this.path)
  }

  /** What a call gets that says nothing else. */
  get defaults(): Policy {
    return this.#defaults
  }

  /** Changes what this level adds to the defaults, or follows a change above it. */
  configure(options: EntryOptions = this.#options): void {
    this.#defaults = resolveDefaults(options, this.parent?.defaults)
    this.#options = options
  }

  /** Where a key of this namespace is in memory. */
  locate(key: string): string {
    return this.shared.locations.locate(this.#keyPrefix, key)
  }

  // A room is a tag under another first letter, so that the spaces cannot collide.
  tagId(tag: string): string {
    return `${this.path}\0t${tag}`
  }

  roomId(room: string): string {
    return `${this.path}\0r${room}`
  }

  labelIds(tags: readonly string[], rooms: readonly string[]): string[] {
    return [...new Set([...tags.map((tag) => this.tagId(tag)), ...rooms.map((room) => this.roomId(room))])]
  }

  /** Ids of the tokens that an entry or a load with these labels depends on. */
  tokenIds(tags: readonly string[], room: string | undefined): readonly string[] {
    if (tags.length === 0 && room === undefined) return this.#namespaceIds
    return [...this.#namespaceIds, ...this.labelIds(tags, room === undefined ? [] : [room])]
  }

  /** The tokens that an entry or a load with these labels depends on, held for the caller. */
  holdTokens(tags: readonly string[], room: string | undefined): readonly Token[] {
    const { tokens } = this.shared
    const own = this.#holdNamespaceTokens()
    if (tags.length === 0 && room === undefined) return own
    // Not spread into a new array: that leaves room for more, in every entry.
    return own.concat(tokens.holdAll(this.labelIds(tags, room === undefined ? [] : [room])))
  }

  /** Entries without labels share one array of tokens. */
  #holdNamespaceTokens(): readonly Token[] {
    const { tokens } = this.shared
    const current = this.#namespaceTokens
    if (current.length > 0 && current.every((token) => token.holders > 0) && stateOf(current) === TokenState.Live) {
      tokens.holdAgain(current)
      return current
    }
    return (this.#namespaceTokens = tokens.holdAll(this.#namespaceIds))
  }
}

function namespaceTokenId(path: string): string {
  return `${path}\0g`
}
