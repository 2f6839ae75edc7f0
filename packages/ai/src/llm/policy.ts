import { InvalidOptionError } from '@tiercel/core'
import type { RefusalReason } from './refusal.js'
import type { ModelRequest } from './request.js'
import type { Usage } from './usage.js'
import type { FinishReason, Outcome } from './wire.js'

/** A complete answer, for those who decide whether it is worth keeping. */
export interface CompleteAnswer {
  readonly provider: string
  readonly model: string
  readonly kind: string
  readonly finish: readonly FinishReason[]
  readonly usage: Usage | undefined
  readonly bytes: number
  /** The answer itself, in the form the provider gives one that is not streamed. */
  whole(): unknown
}

/** Which answers are stored. */
export interface PolicyOptions {
  /** Why the model may have stopped, for every choice of the answer. Default `['stop', 'tool-calls']`. */
  finish?: readonly FinishReason[] | undefined
  /** Whether a complete answer is worth keeping. What it throws counts as no. Default: every one is. */
  shouldStore?: ((answer: CompleteAnswer) => boolean) | undefined
  /** Largest answer that is stored, in bytes as it comes from the provider. Also bounds what is held of one that is under way. Default 8 MiB. */
  maxBytes?: number | undefined
}

export interface Policy {
  readonly finish: ReadonlySet<FinishReason>
  readonly shouldStore: ((answer: CompleteAnswer) => boolean) | undefined
  readonly maxBytes: number
}

const REASONS: readonly FinishReason[] = ['stop', 'tool-calls', 'length', 'content-filter', 'error', 'other']
const NAMES = ['finish', 'shouldStore', 'maxBytes']
const LARGEST = 2 ** 30

/** @throws {InvalidOptionError} */
export function resolvePolicy(options: PolicyOptions = {}): Policy {
  if (typeof options !== 'object' || options === null) throw new InvalidOptionError("policy is an object, such as { finish: ['stop'] }")
  const unknown = Object.keys(options).find((name) => !NAMES.includes(name))
  if (unknown !== undefined) throw new InvalidOptionError(`policy has no option '${unknown.slice(0, 40)}'. It has: ${NAMES.join(', ')}`)
  const { finish = ['stop', 'tool-calls'], shouldStore, maxBytes = 8 * 2 ** 20 } = options
  if (!Array.isArray(finish) || finish.length === 0 || !finish.every((reason) => REASONS.includes(reason))) {
    throw new InvalidOptionError(`policy.finish is a list of reasons for which a model stops: ${REASONS.join(', ')}`)
  }
  if (shouldStore !== undefined && typeof shouldStore !== 'function') throw new InvalidOptionError('policy.shouldStore is a function of the answer')
  if (!Number.isInteger(maxBytes) || maxBytes < 1 || maxBytes > LARGEST) throw new InvalidOptionError(`policy.maxBytes is a whole number from 1 to ${LARGEST}`)
  return { finish: new Set(finish), shouldStore, maxBytes }
}

/** Why a complete answer is not stored; `undefined` when it is. */
export function refusalOf(policy: Policy, { provider, model, kind }: ModelRequest, outcome: Outcome | undefined, bytes: number, whole: () => unknown): RefusalReason | undefined {
  if (outcome === undefined) return 'incomplete'
  const { finish, isEmpty, usage, refused } = outcome
  if (refused !== undefined) return refused
  if (finish.length === 0) return 'empty'
  if (!finish.every((reason) => policy.finish.has(reason))) return 'finish'
  if (isEmpty) return 'empty'
  try {
    return (policy.shouldStore?.({ provider, model, kind, finish, usage, bytes, whole }) ?? true) ? undefined : 'should-store'
  } catch {
    return 'should-store'
  }
}
