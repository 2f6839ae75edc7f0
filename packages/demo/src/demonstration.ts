import { count, printChapter, type Chapter, type Look } from './report.js'
import { showLatency } from './shows/latency.js'
import { showLoad } from './shows/load.js'
import { showOutage } from './shows/outage.js'
import { showStampede } from './shows/stampede.js'
import { showAgents } from './shows/two-processes/agents.js'
import { showAssistant } from './shows/two-processes/assistant.js'
import { showChat } from './shows/two-processes/chat.js'
import { showCrowd } from './shows/two-processes/crowd.js'
import { showLanguageModel } from './shows/two-processes/language-model.js'
import { showMembers } from './shows/two-processes/members.js'
import { showRedisOutage } from './shows/two-processes/redis-outage.js'
import { showRoute } from './shows/two-processes/route.js'
import type { SharedStage } from './shows/two-processes/shared-stage.js'
import { showTiers } from './shows/two-processes/tiers.js'
import { showRemoteUpdate } from './shows/two-processes/update.js'
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
  /** Simultaneous visitors of the cold page of both processes. */
  crowd: number
  /** Updates through one process that the other has to hear of. */
  updates: number
  /** Events of agents. */
  events: number
  /** In the chat room. */
  people: number
  /** For how long Redis is stopped, in milliseconds. */
  away: number
}

export const fullSizes: Sizes = { pages: 60, requests: 1_000, visitors: 1_000, reads: 500, crowd: 4_000, updates: 20, events: 500, people: 50, away: 4_000 }
export const quickSizes: Sizes = { pages: 30, requests: 600, visitors: 1_000, reads: 100, crowd: 1_000, updates: 8, events: 200, people: 10, away: 1_200 }

type Show = () => Promise<Chapter>

/** What the cache does for one process. */
export function showsOfOne(stage: Stage, sizes: Sizes): Show[] {
  return [showLatency, showLoad, showStampede, showUpdate, showOutage].map((show) => () => show(stage, sizes))
}

/** What it does for two, and what happens without Redis, if it may be stopped. */
export function showsOfTwo(stage: SharedStage, sizes: Sizes): Show[] {
  const { redisServer } = stage
  const shows: Show[] = [showTiers, showCrowd, showRemoteUpdate, showRoute, showAssistant, showLanguageModel, showAgents, showChat, showMembers].map((show) => () => show(stage, sizes))
  if (redisServer) shows.push(() => showRedisOutage({ ...stage, redisServer }, sizes))
  return shows
}

/** Plays one show after the other, prints each as it ends, and gives what they showed. */
export async function demonstrate(shows: Show[], look: Look, print: (text: string) => void): Promise<Chapter[]> {
  const chapters: Chapter[] = []
  for (const show of shows) {
    const chapter = await show()
    print(printChapter(chapter, look))
    chapters.push(chapter)
  }
  const claims = chapters.flatMap((chapter) => chapter.claims)
  const kept = claims.filter(({ holds }) => holds).length
  const verdict = `${count(kept)} of ${count(claims.length)} claims held, each counted in this run.`
  print(`\n${kept === claims.length ? look.good(verdict) : look.bad(verdict)}\n`)
  return chapters
}
