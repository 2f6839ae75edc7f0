import { once } from 'node:events'
import { setInterval as every } from 'node:timers/promises'

/** Resolves once somebody wants the demo to end. */
export async function askedToStop(): Promise<void> {
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM'), leftBehind()])
}

// npm starts a shell and ends that shell on SIGTERM; the shell does not hand the signal on, and the port would stay taken.
async function leftBehind(): Promise<void> {
  if (process.env['npm_lifecycle_event'] === undefined) await new Promise(() => {})
  const shell = process.ppid
  for await (const _ of every(250, undefined, { ref: false })) if (process.ppid !== shell) return
}
