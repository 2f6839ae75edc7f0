import type { Socket } from 'node:net'
import { FaultSettings, type ProxyCounts } from './fault-settings.js'
import { Faults } from './faults.js'
import { Lane } from './lane.js'

/** One connection through a proxy, with faults of its own beside those of the proxy. */
export class ProxyConnection extends Faults {
  /** The port it comes from, at the client. */
  readonly clientPort: number
  readonly #client: Socket
  readonly #server: Socket
  readonly #lanes: readonly Lane[]
  readonly #own: FaultSettings
  readonly #settings: readonly FaultSettings[]

  constructor(client: Socket, server: Socket, ofProxy: FaultSettings, onClose: () => void) {
    const own = new FaultSettings()
    super(own)
    this.clientPort = client.remotePort ?? 0
    this.#client = client
    this.#server = server
    this.#own = own
    this.#settings = [own, ofProxy]
    for (const { counts } of this.#settings) counts.accepted++
    const breakOff = () => this.reset()
    this.#lanes = [new Lane('up', client, server, this.#settings, breakOff), new Lane('down', server, client, this.#settings, breakOff)]
    for (const socket of this.#sockets) {
      socket.unref()
      socket.on('error', () => {})
      socket.on('end', () => this.#endIfOrphaned())
      socket.on('close', () => {
        if (this.isOpen) return
        for (const lane of this.#lanes) lane.stop()
        onClose()
      })
    }
  }

  /** Since it was accepted. */
  get counts(): Readonly<ProxyCounts> {
    return this.#own.counts
  }

  /** How the server sees it: the `addr` of `CLIENT LIST`. `undefined` before it is connected. */
  get addressAtServer(): string | undefined {
    const { localAddress, localPort } = this.#server
    if (localAddress === undefined) return undefined
    return localAddress.includes(':') ? `[${localAddress}]:${localPort}` : `${localAddress}:${localPort}`
  }

  /** Whether either side still takes it for open. */
  get isOpen(): boolean {
    return this.#sockets.some((socket) => !socket.destroyed)
  }

  reset(): void {
    if (!this.isOpen) return
    for (const { counts } of this.#settings) counts.broken++
    for (const lane of this.#lanes) lane.stop()
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
  }

  override heal(): void {
    super.heal()
    this.#endIfOrphaned()
  }

  /** As a system does that is sent something for a connection it knows nothing of. */
  #endIfOrphaned(): void {
    if (this.#lanes.some((lane) => lane.isOrphaned)) this.reset()
  }

  get #sockets(): readonly Socket[] {
    return [this.#client, this.#server]
  }
}
