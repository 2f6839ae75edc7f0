import { InvalidOptionError } from '@tiercel/core'

/**
 * Who shares answers with whom: the name of a tenant or user, or a function that gives it for the call at hand. `'public'` shares with everybody, and can only be
 * said here: a function that gives it is refused, so that no tenant can call itself so.
 */
export type ScopeOption = string | (() => string | undefined)

/** Part of every key: `['public']`, or `['scope', name]`. */
export interface Scope {
  readonly path: readonly ['public'] | readonly ['scope', string]
}

const PUBLIC: Scope = { path: ['public'] }
const LONGEST = 1024

/** @throws {InvalidOptionError} */
export function checkScopeOption(scope: unknown): asserts scope is ScopeOption {
  if (typeof scope === 'function' || isName(scope)) return
  throw new InvalidOptionError("createLLMCache needs a scope, so that no tenant is given another one's answers: its name, a function that gives it, or 'public' to share with everybody")
}

/** The scope of a call; `undefined` when nobody can say whose it is: then nothing is cached. What a function of the caller's throws counts as that. */
export function scopeOfCall(option: ScopeOption, ofCall: string | undefined): Scope | undefined {
  if (ofCall !== undefined) return named(ofCall, option)
  if (option === 'public') return PUBLIC
  try {
    return named(typeof option === 'function' ? option() : option, option)
  } catch {
    return undefined
  }
}

function named(name: unknown, option: ScopeOption): Scope | undefined {
  if (name === 'public') return option === 'public' ? PUBLIC : undefined
  return isName(name) ? { path: ['scope', name] } : undefined
}

function isName(name: unknown): name is string {
  return typeof name === 'string' && name !== '' && name.length <= LONGEST
}
