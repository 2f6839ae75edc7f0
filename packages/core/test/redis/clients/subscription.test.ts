import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { ChannelSubscription } from '../../../src/redis/clients/subscription.js'
import type { ChannelName, Wire } from '../../../src/redis/clients/wire.js'

/** A wire whose subscriptions are acknowledged when the test says so. */
class SubscribingWire implements Wire {
  readonly told: string[] = []
  isDropped = false
  acknowledge = () => {}
  readonly #listeners: ((message: Buffer, channel: string) => void)[] = []

  async open(): Promise<void> {}

  send(): Promise<'PONG'> {
    return Promise.resolve('PONG')
  }

  subscribe({ name }: ChannelName, onMessage: (message: Buffer, channel: string) => void): Promise<void> {
    this.told.push(name)
    this.#listeners.push((message) => onMessage(message, name))
    return new Promise((resolve) => (this.acknowledge = resolve))
  }

  async unsubscribe(): Promise<void> {}

  drop(): void {
    this.isDropped = true
  }

  say(message: string): void {
    for (const listener of this.#listeners) listener(Buffer.from(message), '')
  }
}

let wires: SubscribingWire[]
let heard: string[]
let subscription: ChannelSubscription
const subscribed = vi.fn<() => void>()

beforeEach(async () => {
  vi.useFakeTimers()
  wires = []
  heard = []
  subscribed.mockClear()
  subscription = new ChannelSubscription({
    where: 'Redis',
    connectTimeoutMs: 5000,
    channel: 'news',
    handlers: { onMessage: (message) => void heard.push(String(message)), onSubscribed: subscribed, onLost() {} },
    dial() {
      const wire = new SubscribingWire()
      wires.push(wire)
      return wire
    },
    onError() {},
    onClosed() {},
  })
  subscription.subscribed.catch(() => {})
  await vi.advanceTimersByTimeAsync(1500)
})
afterEach(() => {
  subscription.close()
  vi.useRealTimers()
})

it('of two wires that are being made, the one that is through gives what it heard, whichever was asked last', async () => {
  const [patient, other] = wires
  expect(wires.map(({ told }) => told)).toEqual([['news'], ['news']])
  patient?.say('with the acknowledgement')
  other?.say('the same, on the other wire')
  patient?.acknowledge()
  await vi.advanceTimersByTimeAsync(0)
  expect(subscribed).toHaveBeenCalledTimes(1)
  expect(other?.isDropped).toBe(true)
  other?.say('too late')
  other?.acknowledge()
  patient?.say('later')
  await vi.advanceTimersByTimeAsync(0)
  expect(heard).toEqual(['with the acknowledgement', 'later'])
  expect(subscribed).toHaveBeenCalledTimes(1)
})

it('what is added while two are being made is told to the one that is through', async () => {
  const [patient, other] = wires
  const added = subscription.add('sport')
  patient?.acknowledge()
  await vi.advanceTimersByTimeAsync(0)
  patient?.acknowledge()
  await added
  expect(patient?.told).toEqual(['news', 'sport'])
  expect(other?.told).toEqual(['news'])
})

it('what was removed and added again while it was being made is heard', async () => {
  const [patient] = wires
  subscription.remove('news')
  const added = subscription.add('news')
  patient?.acknowledge()
  await vi.advanceTimersByTimeAsync(0)
  patient?.acknowledge()
  await added
  patient?.say('hello')
  expect(heard).toEqual(['hello'])
})
