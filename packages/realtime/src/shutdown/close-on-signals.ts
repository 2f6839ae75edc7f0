import type { Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { closeDefaultBackend } from '../backend/choice.js'
import { closeStorageManager } from '../sessions/storage-manager.js'
import { closed, type Closable } from './closable.js'

export interface CloseOnSignalsOptions {
  /** Default: `SIGTERM` and `SIGINT`. */
  readonly signals?: readonly NodeJS.Signals[]
  /** How long all of it may take. Then the process ends by the signal, with what is still open. Default `'10s'`. */
  readonly timeout?: Duration
  /** Told of what could not be closed. The others are closed all the same. */
  onError?(error: unknown): void
}

export interface Shutdown {
  /** Settles when all is closed after a signal, or after `close`. */
  readonly done: Promise<void>
  /** As a signal does. */
  close(): Promise<void>
  /** Takes the listeners for signals away: then it is as if it had not been called. */
  cancel(): void
}

/**
 * Closes what it is given, one after the other, at the first SIGTERM or SIGINT: servers of `node:http`, anything with a `close` method, and functions. Then it closes
 * what this package has opened for the process by itself. Nothing keeps the process alive after that, so it exits by itself, with its own exit code. A second
 * signal ends it at once.
 *
 * @example
 * closeOnSignals([server, io, storage])
 */
export function closeOnSignals(
  closables: readonly Closable[],
  { signals = ['SIGTERM', 'SIGINT'], timeout = '10s', onError }: CloseOnSignalsOptions = {},
): Shutdown {
  const timeoutMs = toMs(timeout, 'timeout')
  let finish = () => {}
  const done = new Promise<void>((resolve) => (finish = resolve))
  let closing: Promise<void> | undefined

  const cancel = () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const close = (signal?: NodeJS.Signals): Promise<void> => {
    cancel()
    closing ??= closeAll(signal)
    return closing
  }
  const onSignal = (signal: NodeJS.Signals) => void close(signal)

  async function closeAll(signal: NodeJS.Signals | undefined): Promise<void> {
    // Not unref'd: what is left then need not be anything that keeps the process alive, and the promise is that it ends.
    const timer = setTimeout(() => {
      onError?.(new Error(`Not everything was closed within ${timeoutMs} ms`))
      if (signal !== undefined) process.kill(process.pid, signal)
    }, timeoutMs)
    for (const closable of [...closables, closeStorageManager, closeDefaultBackend]) {
      await closed(closable).catch((error: unknown) => onError?.(error))
    }
    clearTimeout(timer)
    finish()
  }

  for (const signal of signals) process.once(signal, onSignal)
  return { done, close: () => close(), cancel }
}
