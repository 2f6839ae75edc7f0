/**
 * The mechanisms that together keep old values out. Tests switch one off through `withoutMechanisms` and show that they then find a
 * stale value; nothing else ever does.
 */
export interface Mechanisms {
  /** A load keeps nothing when its fence was broken. */
  readonly fence: boolean
  /** A call does not join a load that began before an invalidation. */
  readonly detach: boolean
  /** A load keeps nothing when a tag that only it named was invalidated while it ran. */
  readonly lateFence: boolean
  /** A call is not served by a load it joined after a tag that only the load named was invalidated. */
  readonly lateDetach: boolean
  /** Of two loads of a key the one that began last is kept. */
  readonly supersede: boolean
  /** An invalidated value does not serve as grace to those who already hold it. */
  readonly kill: boolean
}

export const allMechanisms: Mechanisms = { fence: true, detach: true, lateFence: true, lateDetach: true, supersede: true, kill: true }

/** Option of `createCache` under which tests name the mechanisms to leave out. */
export const withoutMechanisms: unique symbol = Symbol('tiercel.withoutMechanisms')

export function mechanismsLeft(options: object): Mechanisms {
  const without = (options as { [withoutMechanisms]?: readonly (keyof Mechanisms)[] })[withoutMechanisms]
  if (without === undefined) return allMechanisms
  return { ...allMechanisms, ...Object.fromEntries(without.map((name) => [name, false])) }
}
