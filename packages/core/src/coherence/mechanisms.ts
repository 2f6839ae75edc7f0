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
  /** What was forgotten before Redis was told is forgotten again when it has been. */
  readonly forgetAgain: boolean
  /** Only who holds the lease of a key stores what it loaded. */
  readonly lease: boolean
  /** An entry in Redis is good only with the tokens that are current there. */
  readonly tokens: boolean
  /** A change that arrives out of turn, or a counter begun anew, makes everything forgotten. */
  readonly sequence: boolean
  /** Memory answers only while the stream of changes is confirmed. */
  readonly gate: boolean
  /** After a reconnection nothing counts as heard until we hear ourselves. */
  readonly hello: boolean
  /** What Redis could not be told is told later. */
  readonly journal: boolean
  /** What was kept during an outage is forgotten at its end. */
  readonly flush: boolean
  /** A restart or failover of Redis makes what it holds forgotten. */
  readonly run: boolean
  /** A pattern's entries are swept twice. */
  readonly secondSweep: boolean
}

export const allMechanisms: Mechanisms = {
  fence: true,
  detach: true,
  lateFence: true,
  lateDetach: true,
  supersede: true,
  kill: true,
  forgetAgain: true,
  lease: true,
  tokens: true,
  sequence: true,
  gate: true,
  hello: true,
  journal: true,
  flush: true,
  run: true,
  secondSweep: true,
}

/** Option of `createCache` under which tests name the mechanisms to leave out. */
export const withoutMechanisms: unique symbol = Symbol('tiercel.withoutMechanisms')

export function mechanismsLeft(options: object): Mechanisms {
  const without = (options as { [withoutMechanisms]?: readonly (keyof Mechanisms)[] })[withoutMechanisms]
  if (without === undefined) return allMechanisms
  return { ...allMechanisms, ...Object.fromEntries(without.map((name) => [name, false])) }
}
