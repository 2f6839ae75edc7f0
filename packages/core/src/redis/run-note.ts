import type { Change } from '../coherence/index.js'
import type { Bus } from './bus.js'
import type { RedisConnection } from './clients/index.js'
import type { Invalidator } from './invalidator.js'
import type { RedisNames } from './names.js'
import { noteRunScript } from './scripts.js'

export interface RunNoteSettings {
  readonly connection: RedisConnection
  readonly names: RedisNames
  readonly bus: Bus
  readonly invalidator: Invalidator
  readonly path: string
  /** Entries were dropped. Others are told by the bus; we do not listen to ourselves. */
  onDropped(): void
}

/**
 * Which run of which server the entries were stored on, noted in Redis itself. After a restart or failover the note and the server differ, and the first process to see
 * that drops all entries: the last writes of a server can be lost with it, and invalidations are writes.
 */
export class RunNote {
  readonly #settings: RunNoteSettings
  #noted: string | undefined

  constructor(settings: RunNoteSettings) {
    this.#settings = settings
  }

  async note(run: string, timeoutMs: number): Promise<void> {
    if (run === this.#noted) return
    const hasDropped = this.#settings.connection.kind === 'standalone' ? await this.#noteAtOnce(run, timeoutMs) : await this.#noteInSteps(run, timeoutMs)
    if (hasDropped) this.#settings.onDropped()
    this.#noted = run
  }

  async #noteAtOnce(run: string, timeoutMs: number): Promise<boolean> {
    const { connection, names, bus, path } = this.#settings
    const keys = [names.run(path), names.token(`${path}\0g`), bus.sequenceKey]
    return (await connection.run(noteRunScript, keys, [run, ...bus.announcement(this.#everything())], timeoutMs)) === 1
  }

  /** In a cluster the keys are on three slots. The note comes last: whoever is interrupted before leaves it all to be done again. */
  async #noteInSteps(run: string, timeoutMs: number): Promise<boolean> {
    const { connection, names, invalidator, path } = this.#settings
    const route = names.run(path)
    const token = names.token(`${path}\0g`)
    const noted = await connection.send(['GET', route], { route, timeoutMs })
    if (noted !== null && String(noted) === run) return false
    const isEmpty = noted === null && (await connection.send(['EXISTS', token], { route: token, timeoutMs })) === 0
    if (!isEmpty) await invalidator.invalidate(this.#everything(), timeoutMs)
    await connection.send(['SET', route, run], { route, timeoutMs })
    return !isEmpty
  }

  #everything(): Change {
    return { mode: 'invalidate', path: this.#settings.path, keys: [], labels: ['g'], pattern: undefined }
  }
}
