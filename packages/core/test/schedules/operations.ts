import * as fc from 'fast-check'
import { keys, namespaces, targets, type Key, type Namespace, type Target } from './places.js'

/** What a loader does when it is called. */
export interface LoadPlan {
  /** How often it waits, each time for as long as the schedule says. */
  readonly waits: number
  /** Whether it reads the database as it begins, and is late to return what it read, or at its end. */
  readonly reads: 'first' | 'last'
  readonly ends: 'value' | 'throw' | 'skip' | 'no-ttl' | 'absent'
  /** Whether it renews the previous value when that is still what the database has. */
  readonly renews: boolean
  /** Whether it stops when its signal says so. */
  readonly heedsSignal: boolean
  /** Who names the labels. */
  readonly labels: 'call' | 'loader' | 'both'
  /** Something it writes and invalidates before it ends. */
  readonly writes: Target | undefined
  /** Whether it asks the cache for the next key while it loads. */
  readonly asksForNext: boolean
}

export interface CallPlan {
  readonly bypass: 'read' | 'write' | 'both' | undefined
  readonly grace: boolean
  readonly softTimeout: boolean
  readonly hardTimeout: boolean
  readonly refresh: boolean
  readonly memory: boolean
  readonly aborts: boolean
}

interface Somewhere {
  readonly namespace: Namespace
}

export type Operation =
  | (Somewhere & { readonly kind: 'getOrSet'; readonly keys: readonly [Key]; readonly load: LoadPlan; readonly call: CallPlan })
  | (Somewhere & { readonly kind: 'getOrSetMany'; readonly keys: readonly Key[]; readonly load: LoadPlan; readonly call: CallPlan })
  | (Somewhere & { readonly kind: 'get' | 'getMany' | 'peek' | 'set' | 'setMany' | 'touch' | 'write'; readonly keys: readonly Key[] })
  | (Somewhere & { readonly kind: 'invalidate' | 'expire' | 'delete'; readonly target: Target })
  | { readonly kind: 'time passes'; readonly ms: number }

export interface Scenario {
  /** Each does its operations one after the other; all of them at once. */
  readonly actors: readonly (readonly Operation[])[]
  /** How many microtasks run between two steps of the schedule: few let the steps meet inside the cache. */
  readonly microtasks: number
}

/** Most of the time the first one, so that rare ones meet ordinary company. */
const mostly = <T>(usual: T, ...rare: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3 * rare.length, arbitrary: fc.constant(usual) }, ...rare.map((one) => ({ weight: 1, arbitrary: fc.constant(one) })))

const load: fc.Arbitrary<LoadPlan> = fc.record({
  waits: fc.integer({ min: 0, max: 2 }),
  reads: mostly<LoadPlan['reads']>('first', 'last'),
  ends: mostly<LoadPlan['ends']>('value', 'throw', 'throw', 'skip', 'no-ttl', 'absent'),
  renews: fc.boolean(),
  heedsSignal: fc.boolean(),
  labels: fc.constantFrom('call', 'loader', 'both'),
  writes: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...targets) }),
  asksForNext: mostly(false, true),
})

const call: fc.Arbitrary<CallPlan> = fc.record({
  bypass: fc.constantFrom<CallPlan['bypass'][]>(undefined, undefined, undefined, undefined, 'read', 'read', 'write', 'both'),
  grace: fc.boolean(),
  softTimeout: mostly(false, true),
  hardTimeout: mostly(false, true),
  refresh: fc.boolean(),
  memory: mostly(true, false),
  aborts: mostly(false, true),
})

const ofKeys = ['get', 'getMany', 'peek', 'set', 'setMany', 'touch', 'write'] as const

function operationOn(
  namespace: fc.Arbitrary<Namespace>,
  key: fc.Arbitrary<Key>,
  someKeys: fc.Arbitrary<Key[]>,
  target: fc.Arbitrary<Target>,
): fc.Arbitrary<Operation> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('getOrSet' as const), namespace, keys: fc.tuple(key), load, call }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('getOrSetMany' as const), namespace, keys: someKeys, load, call }) },
    { weight: 4, arbitrary: fc.record({ kind: mostly<'invalidate' | 'delete'>('invalidate', 'delete'), namespace, target }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('expire' as const), namespace, target }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom(...ofKeys),
        namespace,
        keys: someKeys,
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('time passes' as const), ms: fc.constantFrom(10, 60, 200, 31_000) }) },
  )
}

const scenarioOf = (operation: fc.Arbitrary<Operation>): fc.Arbitrary<Scenario> =>
  fc.record({
    actors: fc.array(fc.array(operation, { minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 5 }),
    microtasks: fc.constantFrom(0, 1, 2, 4, 50),
  })

/** All keys of all namespaces. */
export const wideScenario = scenarioOf(
  operationOn(
    mostly<Namespace>(...namespaces),
    mostly<Key>(...keys),
    fc.uniqueArray(fc.constantFrom(...keys), { minLength: 1 }),
    fc.constantFrom(...targets),
  ),
)

/** One key, for which everything is a collision. */
export const narrowScenario = scenarioOf(
  operationOn(
    fc.constant<Namespace>(''),
    fc.constant<Key>('a'),
    fc.constant<Key[]>(['a']),
    fc.constantFrom(...targets.filter(({ keys: reached }) => reached.includes('a'))),
  ),
)
