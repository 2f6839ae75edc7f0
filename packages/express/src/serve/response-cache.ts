import type { ServerResponse } from 'node:http'
import type { CallOptions } from '@tiercel/core'
import type { CachedRequest, Next } from '../express-shapes.js'
import { Asked } from '../request/asked.js'
import { isForTheHandler } from '../request/for-the-handler.js'
import { SearchRules } from '../request/search-rules.js'
import type { Settings } from '../settings.js'
import { detachedRunOf } from './detached.js'
import { Habits } from './habits.js'
import { Sightings } from './sightings.js'
import { tell } from './tell.js'
import { forgetAfterWrite } from './unsafe-methods.js'
import { Visit } from './visit.js'

/** Marks a response that a cache has to do with: one inside of it would only do the same again. */
const TAKEN = Symbol.for('tiercel.response')

/** RFC 9110, section 9.2.1, and the registry. All others change something. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])

/** What `cacheResponses` makes. */
export class ResponseCache {
  readonly habits = new Habits()
  readonly searchRules = new SearchRules()
  readonly #sightings = new Sightings()

  constructor(readonly settings: Settings) {}

  handle(req: CachedRequest, res: ServerResponse, goOn: Next): void {
    const detached = detachedRunOf(req)
    if (detached !== undefined) {
      detached.arrive(this, res, goOn)
      return
    }
    if (Object.hasOwn(res, TAKEN)) return goOn()
    // No earlier: on a hit nobody comes after us, and to Express' responses a property is dear.
    const next: Next = () => {
      take(res)
      try {
        goOn()
      } catch (error) {
        // Express lets nothing by. Elsewhere it is as if there were no cache in between: ours to release who waits, and not to hide.
        process.nextTick(() => {
          throw error
        })
        throw error
      }
    }
    let visit: Visit | undefined
    try {
      const asked = new Asked(req)
      if (!SAFE.has(asked.method ?? '')) forgetAfterWrite(this, asked, res)
      else if (this.#isFor(asked)) visit = Visit.of(this, asked, res, next)
    } catch (error) {
      this.report(error)
    }
    if (visit === undefined) {
      take(res)
      return goOn()
    }
    try {
      visit.run()
    } catch (error) {
      visit.fail(error)
    }
  }

  /** Whether a response for the key may be kept already. */
  admits(key: string): boolean {
    return this.settings.admitsAtOnce || this.#sightings.see(key)
  }

  /** How the cache is called: nothing is left to its defaults that would have it serve, or renew, what only we can judge. */
  callOptions(room: string | undefined, tags: readonly string[]): CallOptions {
    if (room === undefined && tags.length === 0) return PLAIN
    return { ...PLAIN, ...(room === undefined ? undefined : { room }), ...(tags.length === 0 ? undefined : { tags }) }
  }

  report(error: unknown): void {
    tell(this.settings.logger, error, 'a request went past the cache')
  }

  #isFor({ method, headers }: Asked): boolean {
    if (method === 'GET' ? !this.settings.answersGet : method !== 'HEAD' || !this.settings.answersHead) return false
    return !isForTheHandler(headers)
  }
}

function take(res: ServerResponse): void {
  ;(res as { [TAKEN]?: true })[TAKEN] = true
}

const PLAIN: CallOptions = { grace: 0, refresh: 0, jitter: 0 }
