/**
 * Begins one after the other, until one succeeds: the next when the one before has failed, or has taken so many milliseconds. Those that are under way already
 * are left to go on.
 *
 * Rejects with the last error once all have failed. There must be at least one.
 */
export function firstOf<Result>(tries: readonly (() => Promise<Result>)[], patienceMs: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    let begun = 0
    let failed = 0
    let isOver = false
    const end = (settle: () => void) => {
      isOver = true
      clearTimeout(timer)
      settle()
    }
    const beginNext = () => {
      clearTimeout(timer)
      const begin = isOver ? undefined : tries[begun]
      if (begin === undefined) return
      const number = ++begun
      timer = setTimeout(beginNext, patienceMs).unref()
      begin().then(
        (result) => end(() => resolve(result)),
        (error: unknown) => {
          if (++failed === tries.length) end(() => reject(error as Error))
          else if (number === begun) beginNext()
        },
      )
    }
    beginNext()
  })
}
