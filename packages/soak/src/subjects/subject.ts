import type { Row, Target, Value } from '../rows.js'

/** Gives the row as it is now, and may fail. */
export type Load = (row: Row) => Promise<Value>

export type InvalidationKind = Target['kind']

/** A cache under test, in one process. What it does not have is left out, and not asked for. */
export interface Subject {
  /** What it can invalidate by. */
  readonly kinds: readonly InvalidationKind[]
  getOrSet(row: Row, load: Load): Promise<Value>
  get(row: Row): Promise<Value | undefined>
  /** Past the memory of the process. */
  getOrSetPastMemory?(row: Row, load: Load): Promise<Value>
  peek?(row: Row): Value | undefined
  /** Of rows that have their labels from the call, and the same. */
  getOrSetMany?(rows: readonly Row[], load: Load): Promise<ReadonlyMap<string, Value>>
  set(row: Row, value: Value): Promise<unknown>
  setMany?(entries: readonly (readonly [Row, Value])[]): Promise<unknown>
  /** Resolves to whether it was durable. One that does not tell is believed that what resolves is done. */
  invalidate(target: Target): Promise<{ readonly durable: boolean }>
  expire?(target: Target): Promise<{ readonly durable: boolean }>
  touch?(row: Row): Promise<unknown>
  /** Whether it is back to normal. */
  hasRecovered(): boolean
  /** What it has counted itself. */
  counts(): Readonly<Record<string, number>>
  close(): Promise<unknown>
}

/** Where a cache under test finds its Redis. */
export interface Place {
  readonly kind: 'standalone' | 'cluster'
  readonly urls: readonly string[]
  /** Number of the process. */
  readonly index: number
  /** How many use it at a time. */
  readonly callers: number
  /** Mechanisms of Tiercel that are switched off, to see that the soak sees it. */
  readonly without: readonly string[]
}

/** How old at most what is served may be. */
export const BOUND_MS = 1000

/** How long peers may wait for Redis: they have no deadline of their own. */
export const WAIT_MS = 1000

/** For those whose labels are of the whole cache, and whose namespaces do not reach as far as ours. */
export function labelOf({ namespace, tag }: Pick<Row, 'namespace' | 'tag'>): string {
  return `${namespace ?? ''}/${tag}`
}

export function namesOf(target: Target): { keys: string[]; tags: string[] } {
  if (target.kind === 'key') return { keys: target.rows.map(({ id }) => id), tags: [] }
  return { keys: [], tags: target.kind === 'tag' ? [labelOf({ namespace: target.namespace, tag: target.name })] : [] }
}
