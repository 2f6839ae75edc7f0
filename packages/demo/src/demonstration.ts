import { count, printChapter, type Chapter, type Look } from './report.js'
import { showLatency } from './shows/latency.js'
import { showLoad } from './shows/load.js'
import { showOutage } from './shows/outage.js'
import { showStampede } from './shows/stampede.js'
import { showUpdate } from './shows/update.js'
import type { Stage } from './stage.js'

/** How much of everything. */
export interface Sizes {
  /** Pages of each kind whose latency is measured. */
  pages: number
  /** Visits of the load. */
  requests: number
  /** Simultaneous visitors of the cold page. */
  visitors: number
  /** Reads after the update, and again during the outage. */
  reads: number
}

export const fullSizes: Sizes = { pages: 200, requests: 4_000, visitors: 1_000, reads: 500 }
export const quickSizes: Sizes = { pages: 30, requests: 600, visitors: 1_000, reads: 100 }

/** Plays all shows, prints each as it ends, and gives what they showed. */
export async function demonstrate(stage: Stage, sizes: Sizes, look: Look, print: (text: string) => void): Promise<Chapter[]> {
  const chapters: Chapter[] = []
  for (const show of [showLatency, showLoad, showStampede, showUpdate, showOutage]) {
    const chapter = await show(stage, sizes)
    print(printChapter(chapter, look))
    chapters.push(chapter)
  }
  const claims = chapters.flatMap((chapter) => chapter.claims)
  const kept = claims.filter(({ holds }) => holds).length
  const verdict = `${count(kept)} of ${count(claims.length)} claims held, each counted in this run.`
  print(`\n${kept === claims.length ? look.good(verdict) : look.bad(verdict)}\n`)
  return chapters
}
