import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { backoff } from '../../../src/redis/clients/backoff.js'
import { Line } from '../../../src/redis/clients/line.js'
import type { Reply } from '../../../src/redis/clients/reply.js'
import type { Wire } from '../../../src/redis/clients/wire.js'
import type { RedisError } from '../../../src/errors/index.js'

/** A wire that does what the test says. */
class ScriptedWire implements Wire {
  readonly sent: string[] = []
  readonly lost: (reason: unknown) => void
  readonly #replies: ((reply: Reply) => void)[] = []
  dropped = false
  readonly #fails: boolean
  answering = true

  constructor(lost: (reason: unknown) => void, fails: boolean) {
    this.lost = lost
    this.#fails = fails
  }

  open(): Promise<void> {
    return this.#fails ? Promise.reject(Object.assign(new Error('no'), { code: 'ECONNREFUSED' })) : Promise.resolve()
  }

  send(args: readonly (string | Buffer)[]): Promise<Reply> {
    this.sent.push(args.join(' '))
    if (this.answering) return Promise.resolve('OK')
    return new Promise((resolve) => this.#replies.push(resolve))
  }

  subscribe(): Promise<void> {
    return Promise.resolve()
  }

  unsubscribe(): Promise<void> {
    return Promise.resolve()
  }

  drop(): void {
    this.dropped = true
  }

  reply(reply: Reply): void {
    this.#replies.shift()?.(reply)
  }
}

let wires: ScriptedWire[]
let errors: RedisError[]
let failing: boolean
let line: Line

function makeLine(): Line {
  return new Line({
    where: 'Redis',
    connectTimeoutMs: 1000,
    dial: (lost) => {
      const wire = new ScriptedWire(lost, failing)
      wires.push(wire)
      return wire
    },
    onError: (error) => errors.push(error),
  })
}

const newest = () => {
  const wire = wires.at(-1)
  if (wire === undefined) throw new Error('nothing was dialled')
  return wire
}

beforeEach(async () => {
  vi.useFakeTimers()
  wires = []
  errors = []
  failing = false
  line = makeLine()
  await vi.advanceTimersByTimeAsync(0)
})
afterEach(async () => {
  await line.close(0)
  vi.useRealTimers()
})

it('waits 50 ms after a failure, doubling to a second, and leaves out up to half at random', () => {
  for (const [failures, ms] of [[1, 50], [2, 100], [3, 200], [5, 800], [6, 1000], [500, 1000]] as const) {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    expect(backoff(failures)).toBe(ms)
    vi.spyOn(Math, 'random').mockReturnValue(1)
    expect(backoff(failures)).toBe(ms / 2)
  }
  vi.restoreAllMocks()
})

it('goes on trying for ever, and tells of equal failures once', async () => {
  failing = true
  newest().lost(Object.assign(new Error('gone'), { code: 'ECONNRESET' }))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(wires.length).toBeGreaterThan(60)
  expect(wires.length).toBeLessThan(140)
  expect(errors.map(({ message }) => /\((\w+)\)/.exec(message)?.[1])).toEqual(['ECONNRESET', 'ECONNREFUSED'])
  failing = false
  await vi.advanceTimersByTimeAsync(1100)
  expect(line.isUp).toBe(true)
})

it('slows down when a server accepts and hangs up again and again', async () => {
  for (let i = 0; i < 8; i++) {
    newest().lost(undefined)
    await vi.advanceTimersByTimeAsync(1000)
    expect(line.isUp).toBe(true)
  }
  newest().lost(undefined)
  const dialled = wires.length
  await vi.advanceTimersByTimeAsync(400)
  expect(wires).toHaveLength(dialled)
})

it('gives up a wire that owes replies and gives none, and keeps one that is merely slow', async () => {
  const wire = newest()
  wire.answering = false
  const reply = line.send(['GET', 'a'], 60_000).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(4000)
  const second = line.send(['GET', 'b'], 60_000).catch((error: unknown) => error)
  wire.reply('slow')
  expect(await reply).toBe('slow')
  await vi.advanceTimersByTimeAsync(5500)
  expect(wire.dropped).toBe(false)
  await vi.advanceTimersByTimeAsync(5000)
  expect(await second).toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
  expect(wire.dropped).toBe(true)
  expect(errors).toHaveLength(1)
})

it('replaces, when told to, a wire that has given nothing for a second since it was asked, and none that merely owes something', async () => {
  const wire = newest()
  wire.answering = false
  const asked = ['first', 'second'].map((key) => line.send(['GET', key], 250).catch((error: unknown) => error))
  await vi.advanceTimersByTimeAsync(900)
  line.recycleIfSilent()
  expect(wire.dropped).toBe(false)
  wire.reply('late')
  await vi.advanceTimersByTimeAsync(2000)
  line.recycleIfSilent()
  expect(wire.dropped).toBe(false)
  wire.reply('later')
  await vi.advanceTimersByTimeAsync(0)
  asked.push(line.send(['GET', 'third'], 250).catch((error: unknown) => error))
  await vi.advanceTimersByTimeAsync(1000)
  line.recycleIfSilent()
  expect(wire.dropped).toBe(true)
  for (const error of await Promise.all(asked)) expect(error).toMatchObject({ code: 'TIERCEL_REDIS_TIMEOUT' })
})

it('sends nothing while it is idle', async () => {
  const { sent } = newest()
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(sent).toEqual(['PING'])
  expect(wires).toHaveLength(1)
})

it('ignores what a wire says that was replaced', async () => {
  const old = newest()
  line.recycle()
  await vi.advanceTimersByTimeAsync(0)
  expect(old.dropped).toBe(true)
  old.lost(new Error('late'))
  expect(line.isUp).toBe(true)
  expect(newest()).not.toBe(old)
})

it('counts a command as unanswered until its reply comes, though its caller has gone', async () => {
  vi.useRealTimers()
  line = makeLine()
  await vi.waitUntil(() => line.isUp, { timeout: 30_000 })
  const wire = newest()
  wire.answering = false
  await Promise.allSettled(Array.from({ length: 50_000 }, () => line.send(['GET', 'a'], 10)))
  await expect(line.send(['GET', 'a'], 10)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
  wire.reply('late')
  await Promise.resolve()
  await Promise.resolve()
  const sent = wire.sent.length
  line.send(['GET', 'b'], 10).catch(() => {})
  expect(wire.sent).toHaveLength(sent + 1)
})
