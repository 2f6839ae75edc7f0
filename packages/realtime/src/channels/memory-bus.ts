import { globMatcher } from '@tiercel/core/connection'
import type { Hub } from '../keyspace/memory/hub.js'
import type { Bus, BusName } from './bus.js'

export class MemoryBus implements Bus {
  onMessage: Bus['onMessage'] = () => {}
  readonly #hub: Hub
  readonly #channels = new Set<string>()
  readonly #patterns = new Map<string, (channel: string) => boolean>()
  readonly #stop: () => void

  constructor(hub: Hub) {
    this.#hub = hub
    this.#stop = hub.listen((message, channel) => {
      if (this.#channels.has(channel)) this.onMessage(message, channel, undefined)
      for (const [pattern, matches] of this.#patterns) if (matches(channel)) this.onMessage(message, channel, pattern)
    })
  }

  add({ name, isPattern }: BusName): Promise<void> {
    if (isPattern) this.#patterns.set(name, globMatcher(name))
    else this.#channels.add(name)
    return Promise.resolve()
  }

  remove({ name, isPattern }: BusName): void {
    if (isPattern) this.#patterns.delete(name)
    else this.#channels.delete(name)
  }

  publish(channel: string, message: string): Promise<void> {
    this.#hub.publish(channel, message)
    return Promise.resolve()
  }

  close(): void {
    this.#stop()
  }
}
