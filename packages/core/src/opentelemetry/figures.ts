import type { Attributes } from '@opentelemetry/api'
import type { CacheHealth } from '../cache/index.js'
import type { CacheStats } from '../observe/index.js'
import { TIER } from './attributes.js'

/** What a cache tells of itself at one moment. */
interface Reading {
  readonly stats: CacheStats
  readonly health: CacheHealth
}

/** A metric that is read when somebody collects, from counters that are there anyway. */
export interface Figure {
  readonly name: string
  /** A counter only grows; an amount goes up and down, and can be added up over processes; of a gauge that makes no sense. */
  readonly kind: 'counter' | 'amount' | 'gauge'
  readonly unit: string
  readonly description: string
  readonly attributes?: Attributes
  /** `undefined` where there is nothing to tell, such as of Redis without Redis. */
  read(reading: Reading): number | undefined
}

const counter = (name: string, unit: string, description: string, read: Figure['read'], attributes: Attributes = {}): Figure =>
  ({ name, kind: 'counter', unit, description, read, attributes })
const amount = (name: string, unit: string, description: string, read: Figure['read']): Figure => ({ name, kind: 'amount', unit, description, read })
const gauge = (name: string, unit: string, description: string, read: Figure['read']): Figure => ({ name, kind: 'gauge', unit, description, read })

const HITS = ['tiercel.hits', '{hit}', 'Values served fresh'] as const

/** Each namespace has these for itself and those below it. */
export const ofNamespaces: readonly Figure[] = [
  counter(...HITS, ({ stats }) => stats.memory.hits, { [TIER]: 'memory' }),
  counter(...HITS, ({ stats }) => stats.redis?.hits, { [TIER]: 'redis' }),
  counter('tiercel.misses', '{miss}', 'Reads that found nothing fresh', ({ stats }) => stats.misses),
  counter('tiercel.loads', '{load}', 'Loads that were started', ({ stats }) => stats.loads.started),
  counter('tiercel.load.failures', '{load}', 'Loads that threw or rejected', ({ stats }) => stats.loads.failed),
  amount('tiercel.loads.running', '{load}', 'Loads that run now', ({ stats }) => stats.loads.running),
  counter('tiercel.coalesced', '{call}', 'Calls that waited for a load another call had started', ({ stats }) => stats.coalesced),
  counter('tiercel.sets', '{value}', 'Values kept', ({ stats }) => stats.sets),
  counter('tiercel.stale', '{value}', 'Stale values served within grace', ({ stats }) => stats.stale),
  counter('tiercel.invalidations', '{invalidation}', 'Keys, tags, rooms, patterns and alls that were invalidated or expired', ({ stats }) => stats.invalidations),
  counter('tiercel.fenced', '{value}', 'Values served and not kept, because an invalidation came while they were loaded', ({ stats }) => stats.fenced),
  counter('tiercel.uncacheable', '{value}', 'Values served and not kept, because they cannot be encoded or are too large', ({ stats }) => stats.uncacheable),
  counter('tiercel.redis.dropped_commits', '{value}', 'Values not stored, because somebody else had taken the right to', ({ stats }) => stats.redis?.droppedCommits),
]

/** There is one of these for a cache and all its namespaces. */
export const ofCaches: readonly Figure[] = [
  gauge('tiercel.healthy', '{cache}', '1 while the cache is open and reaches Redis, if it has one; else 0', ({ health }) => Number(health.healthy)),
  amount('tiercel.memory.entries', '{entry}', 'Entries in memory', ({ stats }) => stats.memory.entries),
  amount('tiercel.memory.entries.limit', '{entry}', 'How many entries there may be in memory', ({ stats }) => stats.memory.maxEntries),
  amount('tiercel.memory.usage', 'By', 'Estimated size of what is in memory', ({ stats }) => stats.memory.bytes),
  amount('tiercel.memory.limit', 'By', 'How large it may be', ({ stats }) => stats.memory.maxBytes),
  gauge('tiercel.redis.up', '{cache}', '1 while Redis answers, else 0', ({ health }) => health.redis && Number(health.redis.breaker === 'closed')),
  counter('tiercel.redis.outages', '{outage}', 'How often Redis was given up for a while', ({ stats }) => stats.redis?.outages),
  counter('tiercel.redis.errors', '{error}', 'What was asked of Redis and came to nothing', ({ stats }) => stats.redis?.errors),
  gauge('tiercel.redis.confirmation.duration', 's', 'How long the last confirmation took that every message had arrived: an upper bound for their delivery', ({ health }) => seconds(health.redis?.confirmationMs)),
  gauge('tiercel.redis.confirmation.age', 's', 'How long ago it was certain that every invalidation had arrived', ({ health }) => seconds(health.redis?.lastConfirmedMs)),
  amount('tiercel.redis.journal', '{invalidation}', 'Invalidations that Redis has not been told of yet', ({ health }) => health.redis?.journal),
  counter('tiercel.redis.gaps', '{gap}', 'How often a message was missing, out of turn or not to be understood', ({ stats }) => stats.redis?.gaps),
  counter('tiercel.redis.flushes', '{flush}', 'How often memory was emptied, because something could have been missed', ({ stats }) => stats.redis?.flushes),
  counter('tiercel.redis.corrupt_entries', '{entry}', 'Entries in Redis that could not be used', ({ stats }) => stats.redis?.corruptEntries),
  counter('tiercel.redis.foreign_messages', '{message}', 'Messages on the channel that no cache has sent', ({ stats }) => stats.redis?.foreignMessages),
  counter('tiercel.audit.compared', '{value}', 'Values from memory that the audit compared with those in Redis', ({ stats }) => stats.redis?.audited),
  counter('tiercel.audit.disagreements', '{value}', 'Those that differed, and were still served', ({ stats }) => stats.redis?.disagreements),
]

const seconds = (ms: number | undefined): number | undefined => ms && ms / 1000
