import { createHash } from 'node:crypto'
import { InvalidKeyError } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import { canonical, canonicalList } from './canonical.js'
import { NoIdentity } from './no-identity.js'
import { parametersOf, type ParameterList } from './parameters.js'

/** Longer texts become a hash: a key is kept with every entry. */
const LONGEST = 1024

/** Whether a value, if it is all there is to a key, stands in it as it is, behind a colon: nearly all ids do. */
export function standsAsItIs(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST && value.isWellFormed()
}

/** What of a method's arguments becomes part of a key: `:42` for the text `'42'`, and the canonical forms of all else in parentheses, `(42,(page:1))`. */
export class ArgumentsKey {
  #parameters: ParameterList | undefined
  /** Whether the key is made of the arguments as they are. */
  readonly takesAll: boolean

  constructor(
    private readonly method: AnyMethod,
    /** Gives what takes the arguments' place. */
    private readonly key: AnyMethod | undefined,
    /** The only parameters that count, if any are marked. */
    private readonly marked: readonly number[],
  ) {
    this.takesAll = key === undefined && marked.length === 0
  }

  /** @throws {InvalidKeyError} naming the parameter that cannot be part of a key. */
  of(title: string, self: unknown, args: readonly unknown[]): string {
    const counted = this.#counted(self, args)
    if (counted.length === 1 && standsAsItIs(counted[0])) return `:${counted[0]}`
    try {
      const text = canonicalList(counted)
      return text.length <= LONGEST ? `(${text})` : `(#${createHash('sha256').update(text).digest('base64url')})`
    } catch (error) {
      if (!(error instanceof NoIdentity)) throw error
      throw new InvalidKeyError(`${title}: ${this.#culprit(args)} is or holds ${error.what}. Give @Cached a \`key\` that leaves it out`)
    }
  }

  #counted(self: unknown, args: readonly unknown[]): readonly unknown[] {
    if (this.key !== undefined) return [this.key.apply(self, [...args])]
    if (this.marked.length > 0) return this.marked.map((index) => args[index])
    // With and without an `undefined` at the end, a call means the same, but to those who count.
    if (args.length === 0 || args.at(-1) !== undefined || this.#list.countMatters) return args
    return args.slice(0, args.findLastIndex((each) => each !== undefined) + 1)
  }

  #culprit(args: readonly unknown[]): string {
    if (this.key !== undefined) return 'what its `key` gives'
    const counted = this.marked.length > 0 ? this.marked : args.keys()
    const index = [...counted].find((each) => !hasIdentity(args[each])) ?? 0
    const name = this.#list.names[index] ?? ''
    return name === '' ? `argument ${index + 1}` : `the parameter '${name}'`
  }

  // The source is read when it is first of use.
  get #list(): ParameterList {
    return (this.#parameters ??= parametersOf(this.method))
  }
}

function hasIdentity(value: unknown): boolean {
  try {
    canonical(value)
    return true
  } catch {
    return false
  }
}
