/** Something a cache spends time on. */
export interface Operation {
  readonly name: 'load' | 'read' | 'wait' | 'store' | 'invalidate'
  /** The full path, such as `tiercel:users`. */
  readonly namespace: string
  /** Where it is about one key. */
  readonly key?: string
  /** The same object in operations that have to do with each other: a load, and those who wait for it. */
  readonly subject?: object
  /** What is known of it from the start. */
  readonly facts: Facts
}

/** Never a key, a tag, a room or a value: facts travel. */
export type Facts = Readonly<Record<string, string | number | boolean | string[]>>

/** What is to happen around an operation: it does the work, once, and gives what the work gives or throws. */
export type Around = <T>(operation: Operation, work: () => T | PromiseLike<T>, outcome: (result: T) => Facts) => Promise<T>

interface Watch {
  readonly path: string
  readonly around: Around
}

/** Who wants to be around the operations of one cache and its namespaces. Events tell what has happened; this is for what must be there while it does. */
export class Operations {
  /** The longest path first. */
  #watches: readonly Watch[] = []

  /** Asked first, so that an operation nobody watches is never described. */
  get wanted(): boolean {
    return this.#watches.length > 0
  }

  /** Returns a function that ends it. */
  watch(path: string, around: Around): () => void {
    const watch: Watch = { path, around }
    this.#watches = [...this.#watches, watch].sort((a, b) => b.path.length - a.path.length)
    return () => {
      this.#watches = this.#watches.filter((other) => other !== watch)
    }
  }

  /** One of the watches is around it, however many there are: the one nearest to its namespace. */
  async run<T>(operation: Operation, work: () => T | PromiseLike<T>, outcome: (result: T) => Facts = () => ({})): Promise<T> {
    const { namespace } = operation
    const nearest = this.#watches.find(({ path }) => namespace === path || namespace.startsWith(`${path}:`))
    return nearest === undefined ? work() : nearest.around(operation, work, outcome)
  }
}
