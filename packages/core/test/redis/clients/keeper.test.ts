import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Keeper } from '../../../src/redis/clients/keeper.js'
import type { Wire } from '../../../src/redis/clients/wire.js'

/** A wire that opens when, and if, the test says so. */
class HeldWire implements Wire {
  isDropped = false
  readonly openedAt = performance.now()
  readonly #opened: Promise<void>
  end: { readonly open: () => void; readonly fail: (error: unknown) => void } = { open() {}, fail() {} }

  constructor() {
    this.#opened = new Promise((resolve, reject) => (this.end = { open: resolve, fail: reject }))
  }

  open(): Promise<void> {
    return this.#opened
  }

  send(): Promise<'OK'> {
    return Promise.resolve('OK')
  }

  async subscribe(): Promise<void> {}

  async unsubscribe(): Promise<void> {}

  drop(): void {
    this.isDropped = true
  }
}

let wires: HeldWire[]
let ups: Wire[]
let told: string[]
let keeper: Keeper
const CONNECT_TIMEOUT_MS = 5000
const wait = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const held = () => wires.filter(({ isDropped }) => !isDropped)

beforeEach(async () => {
  vi.useFakeTimers()
  // As long as they get.
  vi.spyOn(Math, 'random').mockReturnValue(0)
  wires = []
  ups = []
  told = []
  keeper = new Keeper({
    where: 'Redis',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    dial() {
      const wire = new HeldWire()
      wires.push(wire)
      return wire
    },
    greet: async () => {},
    onUp: (wire) => void ups.push(wire),
    onDown() {},
    onError: (error) => void told.push(error.message),
  })
  keeper.start()
  await wait(0)
})
afterEach(() => {
  keeper.drop()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('an attempt that hangs is joined after a second, by one that gives way to another every second, and there are never more than two', async () => {
  for (let second = 1; second < 30; second++) {
    await wait(999)
    expect(wires).toHaveLength(second)
    await wait(1)
    expect(wires).toHaveLength(second + 1)
    expect(held().length).toBeLessThanOrEqual(2)
  }
})

it('an attempt is left all its time, though others come and go beside it', async () => {
  const [patient] = wires
  await wait(CONNECT_TIMEOUT_MS - 100)
  expect(wires.length).toBeGreaterThan(3)
  patient?.end.open()
  await wait(0)
  expect(ups).toEqual([patient])
  expect(held()).toEqual([patient])
})

it('the time of the second one counts from when it was made, once the first has had its own', async () => {
  await wait(CONNECT_TIMEOUT_MS + 10)
  const [next, ...others] = held()
  expect(others).toEqual([])
  await wait(CONNECT_TIMEOUT_MS - 110)
  expect(next?.isDropped).toBe(false)
  next?.end.open()
  await wait(0)
  expect(ups).toEqual([next])
})

it('the first that is through wins, and no other is made or heard of', async () => {
  await wait(1500)
  const [first, second] = wires
  second?.end.open()
  await wait(0)
  expect(ups).toEqual([second])
  expect(first?.isDropped).toBe(true)
  first?.end.fail(new Error('late'))
  await wait(10_000)
  expect(wires).toHaveLength(2)
  expect(keeper.wire).toBe(second)
  expect(told).toEqual([])
})

it('when one fails while another hangs, the next comes no later than it would have', async () => {
  await wait(1500)
  wires[1]?.end.fail(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
  await wait(0)
  expect(told).toHaveLength(1)
  expect(held()).toEqual([wires[0]])
  await wait(500)
  expect(held()).toEqual([wires[0], wires[2]])
})

it('what an attempt took counts as part of the pause after it', async () => {
  const fail = async () => {
    wires.at(-1)?.end.fail(new Error('no'))
    await wait(0)
  }
  for (const pause of [50, 100, 200, 400, 800, 1000, 1000]) {
    await fail()
    await wait(pause)
  }
  expect(wires).toHaveLength(8)
  await wait(600)
  await fail()
  await wait(399)
  expect(wires).toHaveLength(8)
  await wait(1)
  expect(wires).toHaveLength(9)
})

it('nothing is left of what it was trying when it is dropped', async () => {
  await wait(1500)
  keeper.drop()
  expect(held()).toEqual([])
  await wait(60_000)
  expect(wires).toHaveLength(2)
  expect(told).toEqual([])
})
