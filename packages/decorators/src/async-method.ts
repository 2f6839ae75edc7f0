/** What can be cached: a method that returns a promise. */
export type AsyncMethod = (this: never, ...args: never[]) => Promise<unknown>

export type ArgsOf<M extends AsyncMethod> = M extends (this: never, ...args: infer Args) => unknown ? Args : never

export type ResultOf<M extends AsyncMethod> = Awaited<ReturnType<M>>

/** A class, by what its instances are. */
export interface ClassOf<Instance> {
  readonly prototype: Instance
  readonly name: string
}

/** What is true of every method at run time. */
export type AnyMethod = (this: unknown, ...args: unknown[]) => unknown

/** What is true of functions among options that are no methods. */
export type AnyFunction = (...args: unknown[]) => unknown
