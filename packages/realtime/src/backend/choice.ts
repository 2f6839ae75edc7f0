import { type Backend, type BackendOptions, createBackend } from './backend.js'

/** Which backend a piece stands on: one that is there, or one of its own by these options. With neither, the one of the process. */
export interface BackendChoice extends BackendOptions {
  /** Shared with others, and not closed with the piece. */
  readonly backend?: Backend
}

export interface ChosenBackend {
  readonly backend: Backend
  /** Closes it if it is the piece's own. */
  close(): Promise<void>
}

const OWN_OPTIONS = ['redis', 'prefix', 'deadline', 'connectTimeout', 'serverId', 'onError'] as const

let ofProcess: Backend | undefined

/** The backend of the process, by its environment: made at the first use, and anew after it was closed. */
export function defaultBackend(): Backend {
  if (ofProcess === undefined || ofProcess.isClosed) ofProcess = createBackend()
  return ofProcess
}

/** Ends what `defaultBackend` began. Nothing to do when nobody used it. */
export async function closeDefaultBackend(): Promise<void> {
  await ofProcess?.close()
  ofProcess = undefined
}

export function chooseBackend(choice: BackendChoice): ChosenBackend {
  const leaveOpen = () => Promise.resolve()
  if (choice.backend !== undefined) return { backend: choice.backend, close: leaveOpen }
  if (OWN_OPTIONS.every((name) => choice[name] === undefined)) return { backend: defaultBackend(), close: leaveOpen }
  const options = Object.fromEntries(OWN_OPTIONS.flatMap((name) => (choice[name] === undefined ? [] : [[name, choice[name]]])))
  const backend = createBackend(options as BackendOptions)
  return { backend, close: () => backend.close() }
}
