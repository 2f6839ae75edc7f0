/**
 * What one process does to its cache: many at once read, write, set and invalidate, each a bit of everything. What they saw goes to a recorder, which is judged elsewhere.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConsistencyRecorder } from '@tiercel/core/testing'
import type { Database } from './database.js'
import { Tally } from './tally.js'
import { Random } from './random.js'
import { reachedBy, rows, targetAround, type Row, type Target, type Value } from './rows.js'
import type { InvalidationKind, Load, Subject } from './subjects/subject.js'

const CALLS_OF_A_BURST = 8
const FAILING_LOADS = 0.05
/** Of the time of a load. Most are quick, and some take longer than an invalidation needs to arrive. */
const LOAD_MS = 8
const SLOW_LOAD_MS = 80
const SLOW_LOADS = 0.1

const READS = { getOrSet: 70, get: 10, pastMemory: 4, peek: 10, many: 6 }
const CHANGES = { write: 55, set: 20, setMany: 5, forget: 15, touch: 5 }
const CHANGES_AMONG_CALLS = 0.03
const KINDS: Readonly<Record<InvalidationKind, number>> = { key: 60, tag: 16, room: 12, pattern: 8, all: 4 }
const EXPIRIES = 0.2

/** What a load fails with now and then. Nobody else fails like this. */
class DatabaseDown extends Error {}

export class Workload {
  readonly tally = new Tally()
  readonly #subject: Subject
  readonly #database: Database
  readonly #recorder: ConsistencyRecorder
  readonly #index: number
  readonly #own: readonly Row[]
  readonly #random: Random
  /** The writes of a row, one behind the other: what is set must be what was written last. */
  readonly #writing = new Map<Row, Promise<unknown>>()
  /** How many call at a time. */
  readonly #callers: number
  #acting: number
  #isStopped = false
  #isAtRest = false

  constructor(subject: Subject, database: Database, recorder: ConsistencyRecorder, index: number, callers: number, seed: number) {
    this.#subject = subject
    this.#database = database
    this.#recorder = recorder
    this.#index = index
    this.#callers = callers
    this.#acting = callers
    this.#own = rows.filter(({ writer }) => writer === index)
    this.#random = new Random(seed * 1000 + index)
  }

  /** Resolves when it was stopped and all calls have ended. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#callers }, () => this.#act().finally(() => this.#acting--)))
  }

  /** Calls that have not ended. */
  get pending(): number {
    return this.#acting
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Reads everything in every way, with nobody changing anything any more. */
  async readAtRest(): Promise<void> {
    this.#isAtRest = true
    this.#recorder.rest()
    for (const row of rows) {
      await this.#read(row, () => this.#subject.getOrSet(row, this.#load))
      const { getOrSetPastMemory } = this.#subject
      if (getOrSetPastMemory !== undefined) await this.#readPastMemory(row, getOrSetPastMemory)
      await this.#read(row, () => this.#subject.get(row))
    }
  }

  async #act(): Promise<void> {
    const random = this.#random
    while (!this.#isStopped) {
      for (let i = 0; i < CALLS_OF_A_BURST; i++) {
        try {
          await (random.chance(CHANGES_AMONG_CALLS) ? this.#change() : this.#readSomething())
        } catch (error) {
          if (isDatabaseDown(error)) this.tally.add('loads that failed')
          else this.tally.fail(error)
        }
      }
      await pause(random.between(4, 12))
    }
  }

  async #readSomething(): Promise<void> {
    const random = this.#random
    // A few rows are much wanted, as everywhere.
    const row = rows[Math.floor(rows.length * random.next() ** 2)] as Row
    const { peek, getOrSetPastMemory, getOrSetMany } = this.#subject
    const way = random.weighted(READS)
    if (way === 'get') return this.#read(row, () => this.#subject.get(row))
    if (way === 'peek' && peek !== undefined) return this.#peek(row, peek)
    if (way === 'pastMemory' && getOrSetPastMemory !== undefined) return this.#readPastMemory(row, getOrSetPastMemory)
    if (way === 'many' && getOrSetMany !== undefined && !row.isLabelledByLoader) return this.#readMany(alike(row), getOrSetMany)
    return this.#read(row, () => this.#subject.getOrSet(row, this.#load))
  }

  async #read(row: Row, reading: () => Promise<Value | undefined>): Promise<void> {
    const began = this.#recorder.now()
    this.#saw(row, await reading(), began)
    this.tally.took(this.#recorder.now() - began)
  }

  #peek(row: Row, peek: (row: Row) => Value | undefined): void {
    const began = this.#recorder.now()
    this.#saw(row, peek(row), began)
  }

  async #readPastMemory(row: Row, read: (row: Row, load: Load) => Promise<Value>): Promise<void> {
    const began = this.#recorder.now()
    const value = await read(row, this.#load)
    this.#check(row, value)
    this.#recorder.readPastMemory(row.id, value.version, began)
  }

  async #readMany(some: readonly Row[], read: (rows: readonly Row[], load: Load) => Promise<ReadonlyMap<string, Value>>): Promise<void> {
    const began = this.#recorder.now()
    const values = await read(some, this.#load)
    for (const row of some) this.#saw(row, values.get(row.key), began)
  }

  #saw(row: Row, value: Value | undefined, began: number): void {
    this.#check(row, value)
    this.#recorder.read(row.id, value?.version, began)
  }

  #check(row: Row, value: Value | undefined): void {
    if (value !== undefined && value.id !== row.id) this.tally.add('values of another key')
  }

  #change(): Promise<void> {
    const random = this.#random
    const row = random.of(this.#own)
    const way = random.weighted(CHANGES)
    if (way === 'write') return this.#update(row)
    if (way === 'forget') return this.#invalidate(this.#targetAround(random.of(rows)))
    if (way === 'touch') return this.#touch(row)
    if (way === 'setMany' && this.#subject.setMany !== undefined) return this.#setMany(alike(row).filter(({ writer }) => writer === this.#index))
    return this.#set(row)
  }

  /** As a service does: the database first, and then the cache has to forget. */
  async #update(row: Row): Promise<void> {
    await this.#alone([row], () => this.#write(row))
    await this.#invalidate(this.#targetAround(row))
  }

  async #invalidate(target: Target): Promise<void> {
    const { expire } = this.#subject
    const isExpiry = expire !== undefined && this.#random.chance(EXPIRIES)
    const began = this.#recorder.now()
    const result = await (isExpiry ? expire(target) : this.#subject.invalidate(target))
    this.tally.add(`${isExpiry ? 'expire' : 'invalidate'} by ${target.kind}`)
    // What was expired may still be served should its load fail.
    const reached = reachedBy(target).filter(({ isFlaky, hasGrace }) => !(isExpiry && isFlaky && hasGrace))
    this.#recorder.invalidated(reached.map(({ id }) => id), began, result)
  }

  #set(row: Row): Promise<void> {
    return this.#alone([row], async () => {
      const version = await this.#write(row)
      const began = this.#recorder.now()
      await this.#subject.set(row, { id: row.id, version })
      this.#wasSet([row], began)
    })
  }

  async #setMany(some: readonly Row[]): Promise<void> {
    await this.#alone(some, async () => {
      const entries: [Row, Value][] = []
      for (const row of some) entries.push([row, { id: row.id, version: await this.#write(row) }])
      const began = this.#recorder.now()
      await this.#subject.setMany?.(entries)
      this.#wasSet(some, began)
    })
  }

  /** What was there before is gone, as after an invalidation. Whether Redis has the new value already, `set` does not tell. */
  #wasSet(some: readonly Row[], began: number): void {
    this.tally.add(some.length === 1 ? 'set' : 'setMany')
    this.#recorder.invalidated(some.map(({ id }) => id), began, { durable: false })
  }

  async #touch(row: Row): Promise<void> {
    await this.#subject.touch?.(row)
    this.tally.add('touch')
  }

  async #write(row: Row): Promise<number> {
    const began = this.#recorder.now()
    const version = await this.#database.write(row)
    this.#recorder.wrote(row.id, version, began)
    return version
  }

  /** One after the other for each of the rows, and not in the way of anything else. */
  async #alone<T>(some: readonly Row[], work: () => Promise<T>): Promise<T> {
    const before = Promise.all(some.map((row) => this.#writing.get(row)))
    const working = before.then(work)
    const ended = working.catch(() => {})
    for (const row of some) this.#writing.set(row, ended)
    return working
  }

  #targetAround(row: Row): Target {
    const wanted = this.#random.weighted(KINDS)
    return targetAround(row, this.#subject.kinds.includes(wanted) ? wanted : 'key')
  }

  readonly #load: Load = async (row) => {
    this.tally.add('loads')
    const random = this.#random
    const { version, ms, fails } = {
      version: await this.#database.versionOf(row),
      ms: random.chance(SLOW_LOADS) ? random.between(0, SLOW_LOAD_MS) : random.between(0, LOAD_MS),
      fails: row.isFlaky && !this.#isAtRest && random.chance(FAILING_LOADS),
    }
    await pause(ms)
    if (fails) throw new DatabaseDown('The database is down')
    return { id: row.id, version }
  }
}

/** Some wrap what a load throws. */
function isDatabaseDown(error: unknown): boolean {
  return error instanceof DatabaseDown || (error as { cause?: unknown }).cause instanceof DatabaseDown
}

/** The rows that have the same namespace, labels and way to get them. */
function alike(row: Row): readonly Row[] {
  return rows.filter((each) => each.tag === row.tag && each.namespace === row.namespace && each.isLabelledByLoader === row.isLabelledByLoader)
}
