import type { InvalidateTarget } from '../../src/index.js'

export const namespaces = ['', 'inner', 'inner:deep'] as const
export const keys = ['a', 'ab', 'b'] as const
export type Namespace = (typeof namespaces)[number]
export type Key = (typeof keys)[number]

/** A key of one namespace. */
export interface Place {
  readonly namespace: Namespace
  readonly key: Key
}

export const places: readonly Place[] = namespaces.flatMap((namespace) => keys.map((key) => ({ namespace, key })))

export const nameOf = ({ namespace, key }: Place): string => `${namespace}/${key}`

/** Every value of a key carries these, whoever names them: the call, the loader, or both. */
export const labelsOf: Record<Key, { readonly tags: readonly string[]; readonly room: string | undefined }> = {
  a: { tags: ['t'], room: 'r' },
  ab: { tags: ['t', 'u'], room: undefined },
  b: { tags: ['u'], room: 'r' },
}

/** A way to invalidate or expire, and the keys it reaches. */
export interface Target {
  readonly target: InvalidateTarget
  readonly keys: readonly Key[]
}

const withLabel = (has: (labels: (typeof labelsOf)[Key]) => boolean) => keys.filter((key) => has(labelsOf[key]))

export const targets: readonly Target[] = [
  ...keys.map((key) => ({ target: { key }, keys: [key] })),
  { target: { keys: ['a', 'b'] }, keys: ['a', 'b'] },
  { target: { tag: 't' }, keys: withLabel(({ tags }) => tags.includes('t')) },
  { target: { tag: 'u' }, keys: withLabel(({ tags }) => tags.includes('u')) },
  { target: { tags: ['t', 'u'] }, keys },
  { target: { room: 'r' }, keys: withLabel(({ room }) => room === 'r') },
  { target: { room: 'r', key: 'ab' }, keys },
  { target: { pattern: 'a*' }, keys: ['a', 'ab'] },
  { target: { pattern: '?' }, keys: ['a', 'b'] },
  { target: { all: true }, keys },
]

/** All that a target reaches when it is invalidated in a namespace: only `all` reaches those below. */
export function reach({ target, keys: reached }: Target, namespace: Namespace): Place[] {
  const isBelow = (other: Namespace) => namespace === '' || other.startsWith(`${namespace}:`)
  const within = namespaces.filter((other) => other === namespace || (target.all === true && isBelow(other)))
  return within.flatMap((reachedNamespace) => reached.map((key) => ({ namespace: reachedNamespace, key })))
}
