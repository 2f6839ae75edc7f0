import type { Change } from './change.js'

const MOST_ITEMS = 10_000
const MOST_NAMES_IN_A_CHANGE = 256

/** What of a change is kept: one key, label or pattern of a namespace. */
interface Item {
  readonly path: string
  readonly kind: 'key' | 'label' | 'pattern'
  readonly name: string
  readonly mode: Change['mode']
}

/**
 * What Redis could not be told while it was away. It holds what to forget and never a value, so that replaying it twice or late does no harm.
 * What is too much to remember becomes "forget everything" for its namespace.
 */
export class Journal {
  #items = new Map<string, Item>()
  #everything = new Set<string>()
  #beingTold = 0

  get size(): number {
    return this.#items.size + this.#everything.size + this.#beingTold
  }

  add({ mode, path, keys, labels, pattern }: Change, root: string): void {
    for (const name of keys) this.#put({ path, kind: 'key', name, mode })
    for (const name of labels) this.#put({ path, kind: 'label', name, mode })
    if (pattern !== undefined) this.#put({ path, kind: 'pattern', name: pattern, mode })
    if (this.#items.size > MOST_ITEMS) {
      this.#items.clear()
      this.#everything.add(root)
    }
  }

  /** Makes all changes. What cannot be made stays, behind what was added meanwhile. */
  async replay(make: (change: Change) => Promise<unknown>, root: string): Promise<void> {
    const changes = this.#take()
    this.#beingTold = changes.length
    try {
      for (const change of changes) {
        await make(change)
        this.#beingTold--
      }
    } finally {
      for (const untold of changes.slice(changes.length - this.#beingTold)) this.add(untold, root)
      this.#beingTold = 0
    }
  }

  /** As few changes as it takes, each a round trip or more. Their order is of no account: a name is in one of them, and what an expiry leaves an invalidation takes, before or after. */
  #take(): Change[] {
    const changes: Change[] = [...this.#everything].map((path) => ({ mode: 'invalidate', path, keys: [], labels: ['g'], pattern: undefined }))
    const named = new Map<string, { mode: Change['mode']; path: string; keys: string[]; labels: string[] }>()
    for (const { path, kind, name, mode } of this.#items.values()) {
      if (kind === 'pattern') {
        changes.push({ mode, path, keys: [], labels: [], pattern: name })
        continue
      }
      const id = `${mode}\0${path}`
      let open = named.get(id)
      if (open === undefined || open.keys.length + open.labels.length >= MOST_NAMES_IN_A_CHANGE) {
        open = { mode, path, keys: [], labels: [] }
        named.set(id, open)
        changes.push({ ...open, pattern: undefined })
      }
      ;(kind === 'key' ? open.keys : open.labels).push(name)
    }
    this.#items = new Map()
    this.#everything = new Set()
    return changes
  }

  // The last action on a name counts, but an expiry must not weaken an invalidation that came before it.
  #put(item: Item): void {
    const id = `${item.kind}\0${item.path}\0${item.name}`
    const before = this.#items.get(id)
    this.#items.delete(id)
    this.#items.set(id, before?.mode === 'invalidate' ? before : item)
  }
}
