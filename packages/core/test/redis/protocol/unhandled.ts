/** What nobody handled while `run` ran. The test runner would count it as a failure of its own. */
export async function unhandledWhile(run: () => Promise<unknown>): Promise<unknown[]> {
  const unhandled: unknown[] = []
  const listeners = process.listeners('unhandledRejection')
  const note = (reason: unknown) => void unhandled.push(reason)
  process.removeAllListeners('unhandledRejection')
  process.on('unhandledRejection', note)
  try {
    await run()
    // Node tells of them once the microtasks of a turn are done.
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', note)
    for (const listener of listeners) process.on('unhandledRejection', listener)
  }
  return unhandled
}
