import type { CallOptions, Duration, LoadContext } from '@tiercel/core'
import type { AnyMethod } from '../async-method.js'
import type { MergedOptions } from './merged-options.js'

/** What is made of a result: how it is kept, if it is. */
interface Verdict {
  readonly isKept: boolean
  readonly ttl: Duration | undefined
  readonly tags: readonly string[] | undefined
  readonly room: string | undefined
}

/** The options of a method with nothing left to decide but what depends on a call: made once, so that a call makes none. */
export class CallPlan {
  readonly when: AnyMethod | undefined
  /** `undefined` when there are none, which is what the core is fastest with. */
  readonly #fixed: CallOptions | undefined
  readonly #perCall: readonly (readonly ['tags' | 'room' | 'signal', AnyMethod])[]
  readonly #options: MergedOptions

  constructor(options: MergedOptions) {
    const { tags, room, signal, ttl } = options
    this.#options = options
    this.when = options.when
    const fixed = {
      ...options.fixed,
      ...(typeof ttl === 'function' || ttl === undefined ? undefined : { ttl }),
      ...(typeof tags === 'function' || tags === undefined ? undefined : { tags }),
      ...(typeof room === 'function' || room === undefined ? undefined : { room }),
    }
    this.#fixed = Object.keys(fixed).length === 0 ? undefined : fixed
    this.#perCall = (
      [
        ['tags', tags],
        ['room', room],
        ['signal', signal],
      ] as const
    ).filter((pair): pair is readonly ['tags' | 'room' | 'signal', AnyMethod] => typeof pair[1] === 'function')
  }

  /** What the core is given with a call. */
  optionsOf(self: unknown, args: readonly unknown[]): CallOptions | undefined {
    if (this.#perCall.length === 0) return this.#fixed
    const options: Record<string, unknown> = { ...this.#fixed }
    for (const [name, of] of this.#perCall) options[name] = of.apply(self, args as unknown[])
    return options
  }

  /** Tells the load how to keep its result. */
  judge(ctx: LoadContext, result: unknown, self: unknown, args: readonly unknown[]): void {
    const { isKept, ttl, tags, room } = this.#verdict(result, self, args)
    if (!isKept) ctx.skip()
    if (ttl !== undefined) ctx.ttl(ttl)
    if (tags !== undefined) ctx.tags(tags)
    if (room !== undefined) ctx.room(room)
  }

  /** What the core is given with a result that comes from elsewhere. `undefined` when it is not to be kept. */
  optionsOfPut(result: unknown, self: unknown, args: readonly unknown[]): CallOptions | undefined {
    const { signal: _, ...options } = this.optionsOf(self, args) ?? {}
    const { isKept, ttl, tags, room } = this.#verdict(result, self, args)
    if (!isKept) return undefined
    return {
      ...options,
      ...(ttl === undefined ? undefined : { ttl }),
      ...(tags === undefined ? undefined : { tags: [...(options.tags ?? []), ...tags] }),
      ...(room === undefined ? undefined : { room }),
    }
  }

  #verdict(result: unknown, self: unknown, args: readonly unknown[]): Verdict {
    const { unless, ttl, resultTtl, resultTags, resultRoom } = this.#options
    const of = <T>(judge: AnyMethod | undefined): T | undefined => judge?.apply(self, [result, ...args]) as T | undefined
    return {
      isKept: of(unless) !== true,
      ttl: of<Duration>(resultTtl) ?? (typeof ttl === 'function' ? (ttl.apply(self, args as unknown[]) as Duration) : undefined),
      tags: of(resultTags),
      room: of<string | null>(resultRoom) ?? undefined,
    }
  }
}
