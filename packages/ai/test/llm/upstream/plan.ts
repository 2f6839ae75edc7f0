import type { ServerResponse } from 'node:http'
import type { Call } from './call.js'

/** What an answer is to be, and what is to go wrong with it. Without a plan it is the transcript asked for, in full. */
export interface Plan {
  /** Name of the transcript, instead of the one that is answered by default. */
  readonly answer?: string
  /** An error of this status, in the words of the API. */
  readonly status?: number
  /** Waits after so many events until it is released; 0 is before the head of the answer. A plain answer has one event, and so has an error. */
  readonly holdAfter?: number
  /** Breaks the connection off after so many events, within the next one. */
  readonly breakAfter?: number
  /** Says in the stream that something failed after so many events, and ends it properly. */
  readonly errorAfter?: number
  /** Leaves out the event by which a stream says that it is complete. */
  readonly terminator?: boolean
  /** Where to cut what is sent into pieces, in bytes from its start; `'bytes'` is everywhere. */
  readonly splitAt?: readonly number[] | 'bytes'
  /** Compresses a plain answer. */
  readonly gzip?: boolean
  /** Headers besides the usual ones. */
  readonly headers?: Readonly<Record<string, string>>
}

/** One call that was planned: it can be waited for where it holds, and released. */
export class Turn {
  readonly plan: Plan
  /** The call, when it has come to the place where it waits. */
  readonly held: Promise<Call>
  readonly #released: Promise<void>
  #arrive: (call: Call) => void = () => {}
  #release: () => void = () => {}

  constructor(plan: Plan) {
    this.plan = plan
    this.held = new Promise((resolve) => (this.#arrive = resolve))
    this.#released = new Promise((resolve) => (this.#release = resolve))
  }

  release(): void {
    this.#release()
  }

  /** Waits if this is the place, and no longer than there is somebody to answer. */
  async hold(sent: number, call: Call, response: ServerResponse): Promise<void> {
    if (sent !== this.plan.holdAfter) return
    this.#arrive(call)
    await Promise.race([this.#released, new Promise((resolve) => response.once('close', resolve))])
  }
}
