import type { Address } from './address.js'
import type { Argument, Reply } from './reply.js'

/**
 * One connection of one client, never mended: when it is lost, a new wire takes its place.
 *
 * The clients' own reconnecting is switched off, for it is where they differ and surprise: one sends commands again that
 * the server may have executed, one closes itself for good after a socket timeout, one says it is ready before it has
 * subscribed again.
 */
export interface Wire {
  /** Connects and authenticates. */
  open(): Promise<void>
  /** Rejects with the client's own error. May stay unsettled for ever: deadlines are the caller's business. */
  send(args: readonly Argument[]): Promise<Reply>
  /** Resolves with the server's acknowledgement. Each name at most once. */
  subscribe(name: ChannelName, onMessage: (message: Buffer, channel: string) => void): Promise<void>
  unsubscribe(name: ChannelName): Promise<void>
  /** Ends it at once, with whatever it still has to do. */
  drop(): void
}

/** A channel, or a glob for channels. */
export interface ChannelName {
  readonly name: string
  readonly isPattern: boolean
}

/** Makes wires to one Redis. */
export interface Dialer {
  /** Names the server in messages: never a credential. */
  readonly where: string
  /** Where a cluster is looked for first. `undefined`: no cluster. */
  readonly roots?: readonly Address[]
  /**
   * Makes a wire that is not open yet. `lost` is called at the first sign of trouble, perhaps several times.
   * `address` is given for a node of a cluster only.
   */
  dial(lost: (reason: unknown) => void, address?: Address): Wire | Promise<Wire>
}
