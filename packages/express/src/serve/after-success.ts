import type { ServerResponse } from 'node:http'

type Method = (this: ServerResponse, ...args: unknown[]) => unknown

/**
 * Does something once a handler has answered with success (2xx or 3xx), and lets the answer end only when it is done: who has it can rely on that. What goes
 * wrong is reported, and the answer goes out all the same.
 */
export function afterSuccess(res: ServerResponse, act: () => Promise<unknown>, onError: (error: unknown) => void): void {
  const end = res.end as unknown as Method
  let isEnding = false
  const patched: Method = (...args) => {
    if (isEnding || res.statusCode < 200 || res.statusCode > 399) return end.apply(res, args)
    isEnding = true
    // In a function of its own, so that what it throws is treated as what it rejects with.
    const acting = async () => act()
    void acting()
      .catch(onError)
      .finally(() => end.apply(res, args))
    return res
  }
  Object.assign(res, { end: patched })
}
