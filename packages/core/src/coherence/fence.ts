import { BriefMap } from './brief-map.js'
import { stateOf, TokenState, type Token } from './token.js'

/**
 * Stands before every fill of the memory: a load, a read or a set opens a fence when it begins and fills only if the fence still
 * holds when it ends. An invalidation in between breaks it: the value goes to whoever waits for it, and nowhere else.
 */
export class Fence {
  broken = false
  /** Other fences open on the same key, as a list: there is nearly always just one. */
  next: Fence | undefined
  /** What is read or loaded behind the fence is no older than this. */
  readonly openedTime = performance.now()

  constructor(
    readonly key: string,
    /** The tokens that were current when this began. */
    readonly tokens: readonly Token[],
    /** Changes seen when this began, for tags that are named only later. */
    readonly openedAt: number,
  ) {}

  get holds(): boolean {
    return !this.broken && stateOf(this.tokens) === TokenState.Live
  }
}

/** The open fences by key. */
export class Fences {
  readonly #open = new BriefMap<string, Fence>()

  get size(): number {
    return this.#open.size
  }

  open(key: string, tokens: readonly Token[], openedAt: number): Fence {
    const fence = new Fence(key, tokens, openedAt)
    fence.next = this.#open.get(key)
    this.#open.set(key, fence)
    return fence
  }

  close(fence: Fence): void {
    const first = this.#open.get(fence.key)
    if (first === fence) {
      if (fence.next === undefined) this.#open.delete(fence.key)
      else this.#open.set(fence.key, fence.next)
      return
    }
    for (let before = first; before !== undefined; before = before.next) {
      if (before.next === fence) before.next = fence.next
    }
  }

  breakKey(key: string): void {
    for (let fence = this.#open.get(key); fence !== undefined; fence = fence.next) fence.broken = true
  }

  breakWhere(matches: (key: string) => boolean): void {
    for (const key of this.#open.keys()) if (matches(key)) this.breakKey(key)
  }
}
