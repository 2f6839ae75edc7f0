import type { Logger } from '@tiercel/core'

/** A logger that fails has nobody left to tell, and no request may fail for it. */
export function tell(logger: Logger | undefined, error: unknown, what: string): void {
  try {
    logger?.warn({ err: error }, `tiercel: ${what}`)
  } catch {
    // What went wrong first was dealt with already.
  }
}
