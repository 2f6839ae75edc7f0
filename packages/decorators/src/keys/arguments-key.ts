import { createHash } from 'node:crypto'
import { InvalidKeyError } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import { canonical, canonicalList, canonicalString } from './canonical.js'
import { NoIdentity } from './no-identity.js'
import { parametersOf, type ParameterList } from './parameters.js'

/** Longer ones are a hash: a key is kept with every entry. */
const LONGEST = 1024

/** What of a method's arguments becomes part of a key. */
export class ArgumentsKey {
  #parameters: ParameterList | undefined

  constructor(
    private readonly method: AnyMethod,
    /** Gives what takes the arguments' place. */
    private readonly key: AnyMethod | undefined,
    /** The only parameters that count, if any are marked. */
    private readonly marked: readonly number[],
  ) {}

  /** @throws {InvalidKeyError} naming the parameter that cannot be part of a key. */
  of(title: string, self: unknown, args: readonly unknown[]): string {
    const [first] = args
    try {
      const isPlain = this.key === undefined && this.marked.length === 0
      const text = isPlain ? (args.length === 1 && typeof first === 'string' ? canonicalString(first) : this.#plain(args)) : this.#chosen(self, args)
      return text.length <= LONGEST ? text : `#${createHash('sha256').update(text).digest('base64url')}`
    } catch (error) {
      if (!(error instanceof NoIdentity)) throw error
      throw new InvalidKeyError(`${title}: ${this.#culprit(args)} is or holds ${error.what}. Give @Cached a \`key\` that leaves it out`)
    }
  }

  #plain(args: readonly unknown[]): string {
    let count = args.length
    // With and without an `undefined` at the end, a call means the same, but to those who count.
    if (count > 0 && args[count - 1] === undefined && !this.#list.countMatters) while (count > 0 && args[count - 1] === undefined) count--
    return canonicalList(args, count)
  }

  #chosen(self: unknown, args: readonly unknown[]): string {
    return this.key === undefined ? canonicalList(this.marked.map((index) => args[index])) : canonical(this.key.apply(self, [...args]))
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
