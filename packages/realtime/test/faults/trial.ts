import { RedisError } from '@tiercel/core'
import { startProxy, startRedis, type FaultProxy, type RedisServer } from '@tiercel/core/testing'
import { vi } from 'vitest'
import { Backend } from '../../src/backend/backend.js'
import { template, type Client } from '../ground/ground.js'
import type { Fault } from './fault.js'
import type { Piece, Working } from './piece.js'

/** What a command may take. */
const DEADLINE_MS = 1000
/** So often each piece does what it does before, during and after the fault. */
const TIMES = 5
const patiently = { timeout: 60_000, interval: 5 }

type Phase = 'before' | 'breaking' | 'broken' | 'after'

/** What became of the calls of one piece. */
export class Calls {
  done = 0
  slowestMs = 0
  readonly refused: RedisError[] = []
  /** What no call may end with. */
  readonly wrong: unknown[] = []
  readonly ended: Record<Phase, number> = { before: 0, breaking: 0, broken: 0, after: 0 }

  get shown(): string {
    return `${this.done} done, ${this.refused.length} refused`
  }
}

/** All pieces at work on one Redis, each on keys of its own, while something goes wrong with it. */
export class Trial {
  readonly calls = new Map<Piece, Calls>()
  readonly #client: Client
  readonly #fault: Fault
  readonly #working = new Map<Piece, Working>()
  readonly #closing: (() => Promise<unknown>)[] = []
  #phase: Phase = 'before'
  #isOver = false

  constructor(client: Client, fault: Fault) {
    this.#client = client
    this.#fault = fault
  }

  async run(pieces: readonly Piece[]): Promise<void> {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    this.#closing.push(() => redis.stop())
    const proxy = await startProxy(redis)
    this.#closing.push(() => proxy.stop())
    const loops = await Promise.all(pieces.map((piece) => this.#begin(piece, redis, proxy)))
    await this.#until((calls) => calls.done >= TIMES)
    this.#phase = 'breaking'
    await this.#fault.begin(redis, proxy)
    this.#phase = 'broken'
    await this.#until(({ ended }) => ended.broken >= TIMES)
    await this.#fault.end(redis, proxy)
    this.#phase = 'after'
    const before = new Map(Array.from(this.calls, ([piece, { done }]) => [piece, done]))
    await this.#until(({ done }, piece) => done >= (before.get(piece) ?? 0) + TIMES)
    this.#isOver = true
    await Promise.all(loops.map((loop) => loop()))
  }

  check(piece: Piece): Promise<void> {
    const working = this.#working.get(piece)
    if (working === undefined) throw new Error(`${piece.name} did not begin`)
    return working.check()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(Array.from(this.#working.values(), (working) => working.end?.()))
    for (const close of this.#closing.splice(0).reverse()) await close()
  }

  async #begin(piece: Piece, redis: RedisServer, proxy: FaultProxy): Promise<() => Promise<void>> {
    const prefix = `${piece.name.replaceAll(/\W/g, '-')}:`
    const open = async (url: string, deadline: number, serverId: string) => {
      const backend = new Backend({ redis: template(this.#client, url), prefix, deadline, serverId, connectTimeout: '1s' })
      this.#closing.push(() => backend.close())
      await vi.waitUntil(() => backend.link?.state === 'up', patiently)
      return backend
    }
    const isLasting = () => this.#fault.forgets !== true || this.#phase === 'after'
    const stage = {
      hit: await open(proxy.url, DEADLINE_MS, 'hit'),
      other: await open(redis.url, 10_000, 'other'),
      target: () => template(this.#client, proxy.url),
      get lasts() {
        return isLasting()
      },
      cli: (...command: (string | number)[]) => redis.cli(...command),
    }
    const working = await piece.begin(stage)
    this.#working.set(piece, working)
    const calls = new Calls()
    this.calls.set(piece, calls)
    const loop = this.#work(working, calls)
    // What is looked at in the end is looked at from a process that is there again.
    return async () => {
      await loop
      await vi.waitUntil(() => stage.other.link?.state === 'up' && stage.hit.link?.state === 'up', patiently)
    }
  }

  async #work(working: Working, calls: Calls): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const phase = this.#phase
      const began = performance.now()
      try {
        await working.operate(n)
        calls.done++
      } catch (error) {
        if (error instanceof RedisError) calls.refused.push(error)
        else calls.wrong.push(error)
      }
      calls.ended[phase]++
      calls.slowestMs = Math.max(calls.slowestMs, performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async #until(isSo: (calls: Calls, piece: Piece) => boolean): Promise<void> {
    const missing = () => Array.from(this.calls).filter(([piece, calls]) => !isSo(calls, piece))
    await vi.waitUntil(() => missing().length === 0, patiently).catch(() => {
      throw new Error(`in phase "${this.#phase}" nothing goes on in: ${missing().map(([{ name }, calls]) => `${name} (${calls.shown}, ${String(calls.refused.at(-1) ?? calls.wrong.at(-1))})`).join(', ')}`)
    })
  }
}
