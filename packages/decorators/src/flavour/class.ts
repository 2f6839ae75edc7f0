import { InvalidArgumentError } from '@tiercel/core'

type AnyClass = abstract new (...args: never[]) => unknown

/** Shows a class to `see`: standard decorators give it with a context, legacy ones alone. */
export function decorateClass(decorator: string, see: (decorated: AnyClass) => void) {
  return (decorated: unknown, context?: unknown): void => {
    const kind = typeof context === 'object' && context !== null && 'kind' in context ? context.kind : context === undefined ? 'class' : 'member'
    if (kind !== 'class' || typeof decorated !== 'function') throw new InvalidArgumentError(`@${decorator} goes on a class, not on a member of one`)
    see(decorated as AnyClass)
  }
}
