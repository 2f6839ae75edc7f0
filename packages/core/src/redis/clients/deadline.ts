/** What Node's timers can count. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Calls `expired` once `ms` are over, and gives a function that prevents it.
 *
 * When the event loop was held up, timers run before the replies that lie ready in the sockets are read. A reply that
 * came in time must win, so one turn of the loop is let pass first.
 *
 * The timer keeps the process alive, unless `idle`: a caller waits for what it ends.
 */
export function startDeadline(ms: number, expired: () => void, idle = false): () => void {
  let turn: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    turn = setImmediate(expired)
  }, timerMs(ms))
  if (idle) timer.unref()
  return () => {
    clearTimeout(timer)
    if (turn !== undefined) clearImmediate(turn)
  }
}

function timerMs(ms: number): number {
  return ms >= 1 ? Math.min(ms, LONGEST_TIMER) : 1
}
