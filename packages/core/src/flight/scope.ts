import { defaultLimits, type ValueLimits } from '../codec/index.js'
import { allMechanisms, Fences, RecentChanges, stateOf, TokenRegistry, TokenState, type Mechanisms, type Token } from '../coherence/index.js'
import { MemoryStore } from '../memory/index.js'
import { Counters, EventHub, type ConnectionStatus } from '../observe/index.js'
import { ClosedError } from '../errors/index.js'
import { resolveDefaults, type CacheSettings, type EntryOptions, type Policy } from '../options/index.js'
import { Flights } from './flights.js'

/** What a cache and all its namespaces share. */
export class Shared {
  readonly tokens = new TokenRegistry()
  readonly fences = new Fences()
  readonly changes = new RecentChanges()
  readonly flights: Flights
  readonly memory: MemoryStore
  readonly events: EventHub
  readonly valueLimits: ValueLimits
  #closed = false

  constructor(
    readonly settings: CacheSettings,
    readonly mechanisms: Mechanisms = allMechanisms,
  ) {
    this.flights = new Flights(mechanisms)
    this.memory = new MemoryStore(settings, this.tokens)
    this.events = new EventHub(settings.logger)
    this.valueLimits = { ...defaultLimits, maxBytes: settings.maxValueBytes }
  }

  get closed(): boolean {
    return this.#closed
  }

  get status(): ConnectionStatus {
    return this.#closed ? 'disconnected' : 'memory-fallback'
  }

  close(): void {
    this.#closed = true
    for (const flight of this.flights.all()) flight.abort(new ClosedError('The cache was closed while the value was loaded'))
    this.memory.clear()
    this.events.emit('state', { namespace: this.settings.name, status: this.status, closed: true })
  }
}

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
    this.counters = new Counters(parent?.counters)
    this.#namespaceIds = levels.map((_, i) => namespaceTokenId(levels.slice(0, i + 1).join(':')))
    this.#keyPrefix = parent === undefined ? '' : `\0${this.path}\0`
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

  /** Where a key is in the memory that all namespaces share. Keys of the cache itself are there under their own name. */
  locate(key: string): string {
    if (this.#keyPrefix !== '') return this.#keyPrefix + key
    // A key that begins like the prefix of a namespace gets one that no namespace has. NaN, for the empty key, goes that way too.
    return key.charCodeAt(0) > 0 ? key : `\0\0${key}`
  }

  /** The key that `locate` put there, if it is of this namespace. */
  keyAt(location: string): string | undefined {
    if (this.#keyPrefix !== '') return location.startsWith(this.#keyPrefix) ? location.slice(this.#keyPrefix.length) : undefined
    if (location.charCodeAt(0) > 0) return location
    return location.startsWith('\0\0') ? location.slice(2) : undefined
  }

  get namespaceId(): string {
    return namespaceTokenId(this.path)
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

  /** The tokens that an entry or a load with these labels depends on, held for the caller. */
  holdTokens(tags: readonly string[], room: string | undefined): readonly Token[] {
    const { tokens } = this.shared
    const own = this.#holdNamespaceTokens()
    if (tags.length === 0 && room === undefined) return own
    return [...own, ...tokens.holdAll(this.labelIds(tags, room === undefined ? [] : [room]))]
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
