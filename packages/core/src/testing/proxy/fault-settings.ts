/** `up` is from client to server, `down` from server to client. */
export type Direction = 'up' | 'down'

/** What becomes of a connection that lost a reply. */
export type AfterDrop = 'reset' | 'silence' | 'continue'

/** Something that happens once, when so much has passed. */
export type Trap =
  | { readonly kind: 'reply'; left: number; readonly after: AfterDrop }
  | { readonly kind: 'cut'; left: number; readonly direction: Direction }

interface OneWay {
  isHeld: boolean
  isSwallowed: boolean
  delayMs: number
  jitterMs: number
  bytesPerSecond: number
}

const oneWay = (): OneWay => ({ isHeld: false, isSwallowed: false, delayMs: 0, jitterMs: 0, bytesPerSecond: Infinity })

/** What is wrong with a connection, or with all of a proxy: a connection suffers both. */
export class FaultSettings {
  up = oneWay()
  down = oneWay()
  traps: Trap[] = []
  readonly counts = newCounts()
  /** What goes by these settings. */
  readonly lanes = new Set<{ pump(): void }>()

  changed(): void {
    for (const lane of this.lanes) lane.pump()
  }

  clear(): void {
    this.up = oneWay()
    this.down = oneWay()
    this.traps = []
  }

  spring(trap: Trap): void {
    this.traps = this.traps.filter((other) => other !== trap)
  }
}

/** What came in from one side, whatever became of it. */
export interface Arrived {
  /** Pieces of data, as the network delivered them. */
  chunks: number
  bytes: number
}

export interface ProxyCounts {
  readonly up: Arrived
  readonly down: Arrived
  /** Connections that were accepted. */
  accepted: number
  /** Connections that were broken by `reset`, `cut` or `dropReply`. */
  broken: number
  /** Replies that were dropped by `dropReply`. */
  dropped: number
}

function newCounts(): ProxyCounts {
  return { up: { chunks: 0, bytes: 0 }, down: { chunks: 0, bytes: 0 }, accepted: 0, broken: 0, dropped: 0 }
}
