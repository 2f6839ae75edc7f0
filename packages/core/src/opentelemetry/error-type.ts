import { TiercelError } from '../errors/index.js'

/** The code of an error of Tiercel, else its class. Never its message or its `name`, which may hold anything: classes are as many as the program has. */
export function errorType(error: unknown): string {
  if (TiercelError.is(error)) return error.code
  return (error instanceof Error && error.constructor.name) || '_OTHER'
}
