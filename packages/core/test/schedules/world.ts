import type { Scheduler } from 'fast-check'
import { vi } from 'vitest'
import { TiercelError, type BatchContext, type Cache, type CallOptions, type LoadContext } from '../../src/index.js'
import { Database, type Row } from './database.js'
import type { CallPlan, LoadPlan, Operation, Scenario } from './operations.js'
import { keys, labelsOf, nameOf, places, reach, type Key, type Place } from './places.js'

export const TTL = 100
const GRACE = 3_600_000

class LoaderFailed extends Error {}

/** What a schedule was found to break. */
export class PromiseBroken extends Error {}

/**
 * Runs a scenario against a cache in front of a database, every step when the scheduler says so, and checks each answer against what the cache
 * owes to whoever asks.
 */
export class World {
  readonly #cache: Cache
  readonly #schedule: Scheduler
  readonly #database = new Database()
  readonly #broken: unknown[] = []
  /** What was owed each time that grace served. */
  readonly #graces: { readonly place: string; readonly owed: number }[] = []
  /** How many rows loads have returned, and which number each had when it was returned last. */
  #returned = 0
  readonly #lastReturned = new Map<Row, number>()
  /** Every signal that was handed to a call. */
  readonly signals: AbortSignal[] = []

  constructor(cache: Cache, schedule: Scheduler) {
    this.#cache = cache
    this.#schedule = schedule
    cache.on('stale', ({ namespace, key }) => {
      const place = this.#placeOf(namespace, key)
      this.#graces.push({ place: nameOf(place), owed: this.#database.owed(place, true) })
    })
    cache.on('load', ({ namespace, key, stored }) => {
      const place = this.#placeOf(namespace, key)
      const row = stored ? this.#in(place).peek<Row>(place.key) : undefined
      // What is kept is not replaced by what a load that began earlier read.
      if (row !== undefined) this.#database.owe(new Map([[nameOf(place), row.currentAtStart]]))
    })
  }

  async run({ actors, microtasks }: Scenario): Promise<void> {
    let acting = actors.length
    for (const operations of actors) {
      void this.#act(operations)
        .catch((error: unknown) => this.#broken.push(error))
        .finally(() => acting--)
    }
    for (;;) {
      await pass(this.#schedule.count() === 0 ? 100 : microtasks)
      if (this.#schedule.count() === 0) break
      await this.#schedule.waitOne()
    }
    if (this.#broken.length > 0) throw this.#broken[0]
    if (acting > 0) throw new PromiseBroken('A call never settled')
    await this.#checkWhatIsKept()
  }

  async #act(operations: readonly Operation[]): Promise<void> {
    for (const operation of operations) {
      await this.#turn(operation.kind)
      await this.#perform(operation)
    }
  }

  #turn(label: string): Promise<unknown> {
    return this.#schedule.schedule(Promise.resolve(), label)
  }

  #in(place: Pick<Place, 'namespace'>): Cache {
    return place.namespace === '' ? this.#cache : this.#cache.namespace(place.namespace)
  }

  #placeOf(namespace: string, key: string): Place {
    return { namespace: namespace.slice(this.#cache.name.length + 1), key } as Place
  }

  async #perform(operation: Operation): Promise<void> {
    if (operation.kind === 'time passes') {
      vi.advanceTimersByTime(operation.ms)
      return
    }
    const { namespace } = operation
    const cache = this.#in({ namespace })
    switch (operation.kind) {
      case 'getOrSet': {
        const [key] = operation.keys
        return this.#read({ namespace, key }, operation.call, operation.load)
      }
      case 'getOrSetMany':
        return this.#readMany(operation.keys.map((key) => ({ namespace, key })), operation.call, operation.load)
      case 'get':
        await Promise.all(operation.keys.map((key) => this.#check([{ namespace, key }], false, async () => [await cache.get<Row>(key)])))
        return
      case 'getMany':
        return this.#check(operation.keys.map((key) => ({ namespace, key })), false, async () => {
          const found = await cache.getMany<Row>(operation.keys)
          return operation.keys.map((key) => found.get(key))
        })
      case 'peek':
        return this.#check(operation.keys.map((key) => ({ namespace, key })), false, async () => {
          return operation.keys.map((key) => cache.peek<Row>(key))
        })
      case 'set':
        for (const key of operation.keys) await this.#store([{ namespace, key }], ([row]) => cache.set(key, row, labels(key)))
        return
      case 'setMany': {
        // One call gives all its entries the same labels: a key more than it needs does no harm.
        const together = operation.keys
        const placesOf = together.map((key) => ({ namespace, key }))
        return this.#store(placesOf, (rows) => cache.setMany(together.map((key, i) => [key, rows[i]]), { tags: ['t', 'u'], room: 'r' }))
      }
      case 'write':
        // Nobody is told, so nobody is owed it; but what a load then keeps is not to be replaced by what one before it read.
        return this.#database.write(operation.keys.map((key) => ({ namespace, key })))
      case 'touch':
        for (const key of operation.keys) await cache.touch(key, TTL)
        return
      case 'delete': {
        const deleted = operation.target.keys.map((key) => ({ namespace, key }))
        return this.#write(deleted, () => cache.deleteMany(operation.target.keys))
      }
      case 'invalidate':
        return this.#write(reach(operation.target, namespace), () => cache.invalidate(operation.target.target))
      case 'expire': {
        const reached = reach(operation.target, namespace)
        this.#database.write(reached)
        const versions = this.#database.snapshot(reached)
        await this.#turn('expire')
        await cache.expire(operation.target.target)
        this.#database.oweFresh(versions)
      }
    }
  }

  async #write(written: readonly Place[], invalidate: () => Promise<unknown>): Promise<void> {
    this.#database.write(written)
    const versions = this.#database.snapshot(written)
    await this.#turn('invalidate')
    await invalidate()
    this.#database.owe(versions)
  }

  async #store(stored: readonly Place[], set: (rows: Row[]) => Promise<unknown>): Promise<void> {
    this.#database.write(stored)
    const rows = stored.map((place) => rowOf(place, this.#database.version(place), 0))
    const versions = this.#database.snapshot(stored)
    await set(rows)
    this.#database.owe(versions)
  }

  async #read(place: Place, call: CallPlan, load: LoadPlan): Promise<void> {
    const labelled = load.labels === 'loader' ? undefined : place.key
    return this.#check([place], true, async () => [
      await this.#in(place).getOrSet<Row | undefined>(place.key, (ctx) => this.#load(place, ctx, load), this.#options(call, labelled)),
    ])
  }

  async #readMany(many: readonly Place[], call: CallPlan, load: LoadPlan): Promise<void> {
    const [{ namespace }] = many as [Place]
    return this.#check(many, true, async () => {
      const loadMany = (missing: string[], ctx: BatchContext) => {
        const asked = missing.map((key) => ({ namespace, key: key as Key }))
        return this.#loadMany(asked, ctx, load)
      }
      const asked = many.map(({ key }) => key)
      const found = await this.#in({ namespace }).getOrSetMany<Row | undefined>(asked, loadMany, this.#options(call, undefined))
      return many.map(({ key }) => found.get(key))
    })
  }

  #options(call: CallPlan, labelled: Key | undefined): CallOptions {
    const options: CallOptions = labelled === undefined ? {} : labels(labelled)
    if (call.bypass !== undefined) options.bypass = call.bypass
    if (call.grace) options.grace = GRACE
    if (call.grace && call.softTimeout) options.softTimeout = 5
    if (call.hardTimeout) options.hardTimeout = 50
    if (call.grace && call.refresh) options.refresh = 0.5
    if (!call.memory) options.memory = false
    if (call.aborts) {
      const controller = new AbortController()
      options.signal = controller.signal
      this.signals.push(controller.signal)
      void this.#turn('abort').then(() => controller.abort())
    }
    return options
  }

  async #load(place: Place, ctx: LoadContext, plan: LoadPlan): Promise<Row | undefined> {
    const currentAtStart = this.#database.version(place)
    await this.#during(place, ctx, plan)
    return this.#ending(place, ctx, plan, currentAtStart)
  }

  async #loadMany(missing: readonly Place[], ctx: BatchContext, plan: LoadPlan): Promise<[string, Row | undefined][]> {
    const currentAtStart = missing.map((place) => this.#database.version(place))
    // Whoever asks for keys that come after all of its own never waits for itself.
    const last = missing.toSorted((one, other) => keys.indexOf(one.key) - keys.indexOf(other.key)).at(-1) as Place
    await this.#during(last, ctx, plan)
    const labelling: LoadPlan = { ...plan, labels: 'loader' }
    return missing.map((place, i) => [place.key, this.#ending(place, ctx.for(place.key), labelling, currentAtStart[i] as number)])
  }

  async #during(place: Place, ctx: { readonly signal: AbortSignal }, plan: LoadPlan): Promise<void> {
    for (let waits = 0; waits < plan.waits; waits++) {
      await this.#turn(`load of ${nameOf(place)}`)
      if (plan.heedsSignal) ctx.signal.throwIfAborted()
    }
    const { writes } = plan
    if (writes !== undefined) await this.#write(reach(writes, place.namespace), () => this.#in(place).invalidate(writes.target))
    const next = keys[keys.indexOf(place.key) + 1]
    if (plan.asksForNext && next !== undefined) {
      await this.#read({ ...place, key: next }, ordinaryCall, { ...plan, ends: 'value', writes: undefined })
    }
  }

  #ending(place: Place, ctx: LoadContext, plan: LoadPlan, currentAtStart: number): Row | undefined {
    if (plan.ends === 'throw') throw new LoaderFailed()
    const version = plan.reads === 'first' ? currentAtStart : this.#database.version(place)
    // What is renewed keeps its labels without anybody naming them.
    if (plan.renews && (ctx.stale?.value as Row | undefined)?.version === version) return this.#returning(ctx.notModified())
    if (plan.labels !== 'call') {
      const { tags, room } = labelsOf[place.key]
      ctx.tags(tags)
      if (room !== undefined) ctx.room(room)
    }
    if (plan.ends === 'absent') {
      this.#database.absent.add(nameOf(place))
      return undefined
    }
    if (plan.ends === 'no-ttl') ctx.ttl(0)
    if (plan.ends === 'skip') ctx.skip()
    return this.#returning(rowOf(place, version, currentAtStart))
  }

  #returning<R extends Row | undefined>(row: R): R {
    if (row !== undefined) this.#lastReturned.set(row, ++this.#returned)
    return row
  }

  /** Makes a call and holds its answers against what was owed when it began. */
  async #check(asked: readonly Place[], loads: boolean, call: () => Promise<readonly (Row | undefined)[]>): Promise<void> {
    const owed = asked.map((place) => ({ fresh: this.#database.owed(place, false), orGrace: this.#database.owed(place, true) }))
    const fresh = asked.map((place) => this.#in(place).peek<Row>(place.key))
    const gracesBefore = this.#graces.length
    const returnedBefore = this.#returned
    let answers: readonly (Row | undefined)[]
    try {
      answers = await call()
    } catch (error) {
      if (isExpected(error)) return
      throw error
    }
    for (const [i, place] of asked.entries()) {
      const row = answers[i]
      if (row === undefined) {
        const mustAnswer = loads && !this.#database.absent.has(nameOf(place))
        if (mustAnswer) throw new PromiseBroken(`Nobody said that ${nameOf(place)} does not exist, and that was the answer`)
        continue
      }
      if (row.place !== nameOf(place)) throw new PromiseBroken(`Asked for ${nameOf(place)} and was given ${row.place}`)
      const graces = this.#graces.slice(gracesBefore).filter((grace) => grace.place === nameOf(place))
      const least = graces.length > 0 && loads ? owed[i]?.orGrace : owed[i]?.fresh
      if (least === undefined || row.version < least) throw tooOld(place, row, 'given', least)
      const fromMemory = row !== fresh[i] && (this.#lastReturned.get(row) ?? 0) <= returnedBefore
      const leastGrace = Math.min(...graces.map(({ owed: then }) => then))
      if (fromMemory && graces.length > 0 && row.version < leastGrace) {
        throw tooOld(place, row, 'given as grace', leastGrace)
      }
    }
  }

  async #checkWhatIsKept(): Promise<void> {
    const { running } = this.#cache.stats().loads
    if (running !== 0 || this.#cache.health().memory.runningLoads !== 0) throw new PromiseBroken(`${running} loads are still counted as running`)
    for (const place of places) {
      await this.#check([place], false, async () => [this.#in(place).peek<Row>(place.key)])
      await this.#read(place, { ...ordinaryCall, grace: true }, failingLoad)
    }
  }
}

const ordinaryCall: CallPlan = {
  bypass: undefined,
  grace: false,
  softTimeout: false,
  hardTimeout: false,
  refresh: false,
  memory: true,
  aborts: false,
}

const failingLoad: LoadPlan = {
  waits: 0,
  reads: 'first',
  ends: 'throw',
  renews: false,
  heedsSignal: false,
  labels: 'call',
  writes: undefined,
  asksForNext: false,
}

function tooOld(place: Place, row: Row, given: string, owed: number | undefined): PromiseBroken {
  return new PromiseBroken(`${nameOf(place)}: ${given} version ${row.version} when no less than ${owed} was owed`)
}

function rowOf(place: Place, version: number, currentAtStart: number): Row {
  return { place: nameOf(place), version, currentAtStart }
}

function labels(key: Key): CallOptions {
  const { tags, room } = labelsOf[key]
  return { tags, ...(room === undefined ? undefined : { room }) }
}

function isExpected(error: unknown): boolean {
  if (error instanceof LoaderFailed) return true
  if (error instanceof DOMException) return error.name === 'AbortError'
  return TiercelError.is(error) && error.code === 'TIERCEL_LOAD_TIMEOUT'
}

async function pass(microtasks: number): Promise<void> {
  for (let i = 0; i < microtasks; i++) await Promise.resolve()
}
