import type { Change } from './change.js'

const MOST_ITEMS = 10_000

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

  /** Makes all changes, oldest first. What cannot be made stays, behind what was added meanwhile. */
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

  #take(): Change[] {
    const changes: Change[] = [...this.#everything].map((path) => ({ mode: 'invalidate', path, keys: [], labels: ['g'], pattern: undefined }))
    let open: { mode: Change['mode']; path: string; keys: string[]; labels: string[] } | undefined
    for (const { path, kind, name, mode } of this.#items.values()) {
      if (kind === 'pattern') {
        changes.push({ mode, path, keys: [], labels: [], pattern: name })
        open = undefined
        continue
      }
      if (open === undefined || open.path !== path || open.mode !== mode || open.keys.length + open.labels.length >= 256) {
        open = { mode, path, keys: [], labels: [] }
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
