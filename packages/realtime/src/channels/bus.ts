/** A channel, or a glob for channels, as Redis knows it. */
export interface BusName {
  readonly name: string
  readonly isPattern: boolean
}

/** Text messages between all who use one Redis, or one memory. */
export interface Bus {
  /** Told of each message once for every name that it came by. */
  onMessage: (message: string, channel: string, pattern: string | undefined) => void
  /** Resolves when messages arrive from now on, however long that takes. */
  add(name: BusName): Promise<void>
  remove(name: BusName): void
  /** Rejects when nobody could be told. */
  publish(channel: string, message: string): Promise<void>
  close(): void
}
