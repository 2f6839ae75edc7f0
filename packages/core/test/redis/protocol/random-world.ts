import type { Scheduler } from 'fast-check'
import * as fc from 'fast-check'
import type { CallOptions, InvalidateTarget, LoadContext } from '../../../src/index.js'
import type { Process, Stage } from './stage/stage.js'

/** A value, and which version of its row in the database it shows. */
interface Row {
  readonly key: Key
  readonly version: number
}

const keys = ['x', 'y'] as const
type Key = (typeof keys)[number]

const labels: Record<Key, { readonly tags: readonly string[]; readonly room: string }> = {
  x: { tags: ['both', 'of x'], room: 'one' },
  y: { tags: ['both'], room: 'one' },
}

const targets: readonly { readonly target: InvalidateTarget; readonly reaches: readonly Key[] }[] = [
  { target: { key: 'x' }, reaches: ['x'] },
  { target: { keys: ['x', 'y'] }, reaches: ['x', 'y'] },
  { target: { tag: 'of x' }, reaches: ['x'] },
  { target: { tag: 'both' }, reaches: ['x', 'y'] },
  { target: { room: 'one' }, reaches: ['x', 'y'] },
  { target: { pattern: 'x*' }, reaches: ['x'] },
  { target: { all: true }, reaches: ['x', 'y'] },
]

export type Operation =
  | { readonly kind: 'getOrSet'; readonly key: Key; readonly labelledBy: 'call' | 'loader'; readonly memory: boolean }
  | { readonly kind: 'get' | 'peek' | 'get past memory' | 'set'; readonly key: Key }
  | { readonly kind: 'invalidate' | 'expire'; readonly at: number }
  | { readonly kind: 'evict'; readonly what: 'tokens' | 'sequence' | 'entries' | 'run' }
  | { readonly kind: 'lose a message' | 'lose the subscription' | 'time passes' | 'pause' }

export interface Scenario {
  /** What each process does, several things at a time. */
  readonly processes: readonly (readonly (readonly Operation[])[])[]
}

const key = fc.constantFrom(...keys)

const eitherLabels = fc.constantFrom('call' as const, 'loader' as const)

const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('getOrSet' as const), key, labelledBy: eitherLabels, memory: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('get' as const, 'peek' as const, 'get past memory' as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), key }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('invalidate' as const, 'expire' as const), at: fc.nat(targets.length - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('evict' as const), what: fc.constantFrom('tokens' as const, 'sequence' as const, 'entries' as const, 'run' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('lose a message' as const, 'lose the subscription' as const, 'time passes' as const, 'pause' as const) }) },
)

const acts = fc.array(anyOperation, { minLength: 1, maxLength: 4 })
const everything = fc.array(acts, { minLength: 1, maxLength: 2 })

export const scenario: fc.Arbitrary<Scenario> = fc.record({ processes: fc.array(everything, { minLength: 2, maxLength: 3 }) })

/** What a schedule was found to break. */
export class PromiseBroken extends Error {}

/** Runs a scenario: every command, reply, message and turn of a loader comes when the scheduler says so, and each answer is held against what is owed. */
export class RandomWorld {
  readonly #stage: Stage
  readonly #schedule: Scheduler
  readonly #versions: Record<Key, number> = { x: 1, y: 1 }
  /** What reads that reach Redis must not be older than. */
  readonly #durable: Record<Key, number> = { x: 0, y: 0 }
  /** What reads in the process itself must not be older than. */
  readonly #own = new Map<Process, Record<Key, number>>()
  readonly #broken: unknown[] = []
  /** What a set gave, and what was current when it ended: should an invalidation have come in between, either may be taken to have come first. */
  readonly #setUntil = new Map<string, number>()
  #acting = 0
  #ended = false

  constructor(stage: Stage, schedule: Scheduler) {
    this.#stage = stage
    this.#schedule = schedule
  }

  /** One more thing that happens when the scheduler says so. At the end, all of it happens at once. */
  turn(label: string): Promise<unknown> {
    return this.#ended ? Promise.resolve() : this.#schedule.schedule(Promise.resolve(), label)
  }

  async run({ processes: plans }: Scenario, processes: readonly Process[]): Promise<void> {
    for (const [i, process] of processes.entries()) {
      const { link } = process
      this.#own.set(process, { x: 0, y: 0 })
      link.beforeStart = (name) => this.turn(`${i} sends ${name}`)
      link.beforeReply = (name) => this.turn(`${i} is answered ${name}`)
      link.messages.hold()
      link.messages.onHeld = () => void this.turn(`${i} is told`).then(() => link.messages.deliverOne())
    }
    for (const [i, plan] of plans.entries()) for (const operations of plan) this.#act(processes[i] as Process, operations)
    await this.#drain(processes)
    await this.#checkWhatIsLeft(processes)
    if (this.#broken.length > 0) throw this.#broken[0]
  }

  #act(process: Process, operations: readonly Operation[]): void {
    this.#acting++
    void (async () => {
      for (const operation of operations) {
        await this.turn(operation.kind)
        await this.#perform(process, operation)
      }
    })()
      .catch((error: unknown) => this.#broken.push(error))
      .finally(() => this.#acting--)
  }

  async #drain(processes: readonly Process[]): Promise<void> {
    for (let beats = 0; ; ) {
      do await turnsOfTheEventLoop()
      while (processes.some(({ link }) => link.atRedis > 0))
      if (this.#broken.length > 0) throw this.#broken[0]
      if (this.#schedule.count() > 0) await this.#schedule.waitOne()
      else if (this.#acting === 0) return
      else if (++beats > 40) throw new PromiseBroken('A call never settled')
      // What still waits, waits for something that was lost, until a heartbeat finds out.
      else await this.#beat(processes)
    }
  }

  /** A process that reads has a heartbeat. */
  async #beat(processes: readonly Process[]): Promise<void> {
    for (const { cache } of processes) void cache.get('nothing')
    await this.#stage.tick(1000)
  }

  async #perform(process: Process, operation: Operation): Promise<void> {
    const { cache, link } = process
    switch (operation.kind) {
      case 'getOrSet':
        return this.#check(operation.key, this.#own.get(process), () => this.#load(process, operation))
      case 'get':
        return this.#check(operation.key, this.#own.get(process), () => cache.get<Row>(operation.key))
      case 'peek':
        return this.#check(operation.key, this.#own.get(process), () => Promise.resolve(cache.peek<Row>(operation.key)))
      case 'get past memory':
        return this.#check(operation.key, this.#durable, () => cache.get<Row>(operation.key, { memory: false }))
      case 'set':
        return this.#set(process, operation.key)
      case 'invalidate':
      case 'expire':
        return this.#invalidate(process, operation.kind, operation.at)
      case 'evict':
        return this.#evict(operation.what)
      case 'lose a message':
        return link.messages.loseOne()
      case 'lose the subscription':
        link.loseSubscription()
        await this.turn('resubscribe')
        return link.resubscribe()
      case 'time passes':
        return this.#stage.tick(1000)
      case 'pause':
        return this.#stage.jump(7_200_000)
    }
  }

  #load({ cache }: Process, { key: of, labelledBy, memory }: Extract<Operation, { kind: 'getOrSet' }>): Promise<Row> {
    const { tags, room } = labels[of]
    const options: CallOptions = labelledBy === 'call' ? { tags, room, memory } : { memory }
    const loader = async (ctx: LoadContext) => {
      const row = { key: of, version: this.#versions[of] }
      await this.turn(`load ${of}`)
      if (labelledBy === 'loader') {
        ctx.tags(tags)
        ctx.room(room)
      }
      return row
    }
    return cache.getOrSet<Row>(of, loader, options)
  }

  async #set(process: Process, of: Key): Promise<void> {
    const version = ++this.#versions[of]
    this.#setUntil.set(`${of} ${version}`, Number.POSITIVE_INFINITY)
    const isKept = await process.cache.set(of, { key: of, version }, labels[of])
    this.#setUntil.set(`${of} ${version}`, this.#versions[of])
    if (isKept) this.#owe(process, { [of]: version }, true)
  }

  async #invalidate(process: Process, kind: 'invalidate' | 'expire', at: number): Promise<void> {
    const { target, reaches } = targets[at] as (typeof targets)[number]
    const versions = Object.fromEntries(reaches.map((of) => [of, ++this.#versions[of]]))
    await this.turn(`to ${kind}`)
    const { durable } = await process.cache[kind](target)
    this.#owe(process, versions, durable)
  }

  #owe(process: Process, versions: Partial<Record<Key, number>>, durable: boolean): void {
    const own = this.#own.get(process) as Record<Key, number>
    for (const [of, version] of Object.entries(versions) as [Key, number][]) {
      own[of] = Math.max(own[of], version)
      if (durable) this.#durable[of] = Math.max(this.#durable[of], version)
    }
  }

  async #evict(what: 'tokens' | 'sequence' | 'entries' | 'run'): Promise<void> {
    const { redisKey, drop } = this.#stage
    if (what === 'tokens') return drop(redisKey.token('g'), redisKey.token('tboth'), redisKey.token('tof x'), redisKey.token('rone'))
    if (what === 'entries') return drop(...keys.map((of) => redisKey.entry(of)))
    return drop(what === 'run' ? redisKey.run() : redisKey.sequence())
  }

  async #check(of: Key, owed: Record<Key, number> | undefined, read: () => Promise<Row | undefined>): Promise<void> {
    const least = owed?.[of] ?? 0
    const row = await read()
    if (row === undefined) return
    if (row.key !== of) throw new PromiseBroken(`Asked for ${of} and was given ${row.key}`)
    const version = this.#setUntil.get(`${of} ${row.version}`) ?? row.version
    if (version < least) throw new PromiseBroken(`${of}: given version ${row.version} when no less than ${least} was owed`)
  }

  /** Once everything has arrived or is known to be lost, nobody serves anything older than what was made durable. */
  async #checkWhatIsLeft(processes: readonly Process[]): Promise<void> {
    this.#ended = true
    for (const { link } of processes) link.messages.release()
    for (const { cache } of processes) await cache.get('nothing')
    for (let beat = 0; beat < 4; beat++) await this.#stage.pass(1000)
    for (const process of processes) {
      for (const of of keys) {
        await this.#check(of, this.#durable, () => Promise.resolve(process.cache.peek<Row>(of)))
        await this.#check(of, this.#durable, () => process.cache.get<Row>(of))
        await this.#check(of, this.#durable, () => process.cache.get<Row>(of, { memory: false }))
      }
      const { fences, flights } = process.shared
      if (fences.size + flights.size > 0) throw new PromiseBroken(`${fences.size} fences and ${flights.size} loads are left`)
    }
  }
}

/** Enough of them for whatever does not wait for a socket. */
async function turnsOfTheEventLoop(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}
