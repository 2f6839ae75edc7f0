import { randomBytes } from 'node:crypto'

const ofThisProcess = randomBytes(12).toString('base64url')
let given = 0

/** A string that is never the same twice, in any process, and that nobody can guess. */
export function newNonce(): string {
  return `${ofThisProcess}${(given++).toString(36)}`
}
