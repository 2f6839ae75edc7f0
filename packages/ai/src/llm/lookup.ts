import type { Cache } from '@tiercel/core'
import { hitOf } from '@tiercel/core/connection'
import type { ModelRequest } from './request.js'
import type { Scope } from './scope.js'

/** A call that has an identity. */
export interface Question {
  readonly key: string
  readonly scope: Scope
  readonly request: ModelRequest
}

/**
 * Where an answer may be found before anybody else is asked. Several are asked in turn, the exact one first; what they give is checked as everything that was stored is.
 * One that needs time gives a promise.
 */
export interface Lookup {
  find(question: Question): unknown
}

/** What the memory of this process has under the very key. */
export class ExactLookup implements Lookup {
  constructor(private readonly cache: Cache) {}

  find({ key }: Question): unknown {
    return hitOf(this.cache, key)
  }
}
