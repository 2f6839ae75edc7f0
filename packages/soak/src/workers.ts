import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ConsistencyBatch } from '@tiercel/core/testing'
import type { Place } from './subjects/subject.js'
import type { Figures } from './tally.js'

export type Order = 'begin' | 'stop' | 'hasRecovered' | 'rest' | 'end'

export type Word =
  | { readonly say: 'saw'; readonly batch: ConsistencyBatch }
  | { readonly say: 'crashed'; readonly why: string }
  | { readonly say: 'done'; readonly is?: boolean; readonly pending?: number; readonly figures?: Figures }

type Done = Extract<Word, { say: 'done' }>

export interface WorkerHandlers {
  onBatch(batch: ConsistencyBatch): void
  onCrash(why: string): void
}

const program = fileURLToPath(new URL('./worker.js', import.meta.url))
/** Nothing that a process is told to do takes so long, unless it hangs. */
const ANSWER_MS = 90_000

/** A process with a cache of its own. */
export class Worker {
  readonly #child: ChildProcess
  readonly #waiting: ((word: Done) => void)[] = []
  readonly #handlers: WorkerHandlers
  #isEnding = false

  constructor(name: string, place: Place, seed: number, databaseUrl: string, handlers: WorkerHandlers) {
    this.#handlers = handlers
    this.#child = fork(program, [name, String(seed), databaseUrl, JSON.stringify(place)], { stdio: ['ignore', 'ignore', name === 'tiercel' ? 'inherit' : 'ignore', 'ipc'] })
    this.#child.on('message', (word: Word) => this.#hear(word))
    this.#child.once('exit', (code, signal) => {
      if (!this.#isEnding) handlers.onCrash(`process ${place.index} ended with ${String(signal ?? code)}`)
      for (const answer of this.#waiting.splice(0)) answer({ say: 'done' })
    })
  }

  /** Resolves with the first word: it is ready. */
  async ready(): Promise<this> {
    await this.#answer()
    return this
  }

  /** One that is gone or hangs is told of as a crash, and the others go on. */
  async order(order: Order): Promise<Done> {
    if (!this.#child.connected) return { say: 'done' }
    try {
      const answer = this.#answer()
      this.#child.send(order)
      return await answer
    } catch (error) {
      this.#handlers.onCrash(`${(error as Error).message} when told to ${order}`)
      return { say: 'done' }
    }
  }

  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  async stop(): Promise<void> {
    this.#isEnding = true
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  #hear(word: Word): void {
    if (word.say === 'saw') this.#handlers.onBatch(word.batch)
    else if (word.say === 'crashed') this.#handlers.onCrash(word.why)
    else this.#waiting.shift()?.(word)
  }

  #answer(): Promise<Done> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('A process does not answer')), ANSWER_MS)
      this.#waiting.push((word) => {
        clearTimeout(timer)
        resolve(word)
      })
    })
  }
}
