import { createHash, createHmac } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { canonical } from './canonical.js'
import type { ModelRequest } from './request.js'
import type { Scope } from './scope.js'

/** Changes with the meaning of a key, so that answers under another meaning are never found. */
const KEY_VERSION = 1

/** Characters that take two bytes. */
const WIDE = /[\u0100-\uffff]/

export type Secret = string | Uint8Array

/** Characters of names of scopes and models whose tags are remembered. */
const MOST_REMEMBERED = 1_000_000

/** Keys and labels that tell nothing of what they were made of. */
export class Keys {
  readonly #tags = new LRUCache<string, string>({ maxSize: MOST_REMEMBERED, sizeCalculation: (_tag, name) => name.length })

  constructor(private readonly secret: Secret | undefined) {}

  /**
   * The key of what a scope asks.
   *
   * @throws {InvalidArgumentError} for a request that has no identity.
   */
  of({ provider, model, kind, input }: ModelRequest, scope: Scope): string {
    return this.#digest(canonical(['request', KEY_VERSION, scope.path, provider, model, kind, input]))
  }

  /** The tag that all answers of a model carry. */
  tagOfModel(model: string): string {
    return this.#tag('m', ['model', KEY_VERSION, model])
  }

  /** The tag that all answers of a scope carry. */
  tagOfScope({ path }: Scope): string {
    return this.#tag('s', ['scope', KEY_VERSION, path])
  }

  /** There are few, and each call needs two of them. */
  #tag(letter: string, path: readonly unknown[]): string {
    const name = canonical(path)
    const known = this.#tags.get(name)
    if (known !== undefined) return known
    const tag = `${letter}:${this.#digest(name).slice(0, 22)}`
    this.#tags.set(name, tag)
    return tag
  }

  #digest(text: string): string {
    const hash = this.secret === undefined ? createHash('sha256') : createHmac('sha256', this.secret)
    // As it is in memory: to make UTF-8 of it can take longer than to hash it. No text is what another one is in the other encoding: zero bytes are in one of them only.
    return hash.update(text, WIDE.test(text) ? 'utf16le' : 'latin1').digest('base64url')
  }
}
