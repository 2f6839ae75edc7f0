/**
 * What is cached: rows of a table. Everything about a row follows from its number, so that every process knows alike by which labels it can be reached, and who writes it.
 */
export interface Row {
  /** Of all rows, namespaces included. */
  readonly id: string
  readonly key: string
  /** `undefined` at the first level. */
  readonly namespace: string | undefined
  readonly tag: string
  readonly room: string
  /** Whether it is the loader that names tag and room. */
  readonly isLabelledByLoader: boolean
  /** The process that writes it. If there were several, the order of their writes would not be known. */
  readonly writer: number
  readonly ttlMs: number
  /** `undefined` for none. */
  readonly refresh: number | undefined
  readonly hasGrace: boolean
  /** Whether its loads fail now and then. */
  readonly isFlaky: boolean
}

export const INNER = 'inner'
export const PROCESSES = 4
const ROWS = 64
const GROUPS = 8

export const rows: readonly Row[] = Array.from({ length: ROWS }, (_, i) => {
  const group = i % GROUPS
  const namespace = i >= (ROWS * 3) / 4 ? INNER : undefined
  const key = `row:${i}`
  return {
    id: namespace === undefined ? key : `${namespace}/${key}`,
    key,
    namespace,
    tag: `t${group}`,
    room: `r${group >> 1}`,
    isLabelledByLoader: (i >> 3) % 2 === 1,
    writer: (i >> 1) % PROCESSES,
    ttlMs: i % 3 === 0 ? 2000 : 30_000,
    refresh: i % 5 === 0 ? 0.5 : undefined,
    hasGrace: i % 4 === 3,
    isFlaky: i % 8 >= 6,
  }
})

/** What can be invalidated at once. Labels, patterns and keys are those of one namespace. */
export type Target =
  | { readonly kind: 'key'; readonly rows: readonly Row[] }
  | { readonly kind: 'tag' | 'room' | 'pattern'; readonly name: string; readonly namespace: string | undefined }
  | { readonly kind: 'all'; readonly namespace: string | undefined }

/** The rows a target reaches. Everything of the first level reaches the namespace, too. */
export function reachedBy(target: Target): readonly Row[] {
  if (target.kind === 'key') return target.rows
  if (target.kind === 'all') return rows.filter(({ namespace }) => target.namespace === undefined || namespace === target.namespace)
  const { kind, name, namespace } = target
  const matches = ({ tag, room, key }: Row) => (kind === 'tag' ? tag === name : kind === 'room' ? room === name : key.startsWith(name.replace(/\*$/, '')))
  return rows.filter((row) => row.namespace === namespace && matches(row))
}

/** A target that reaches that row. */
export function targetAround(row: Row, kind: Target['kind']): Target {
  const { namespace, tag, room, key } = row
  if (kind === 'key') return { kind, rows: [row] }
  if (kind === 'all') return { kind, namespace }
  return { kind, name: kind === 'tag' ? tag : kind === 'room' ? room : `${key.slice(0, 5)}*`, namespace }
}

/** What is cached of a row. The key is in it so that a value under a wrong key shows. */
export interface Value {
  readonly id: string
  readonly version: number
}
