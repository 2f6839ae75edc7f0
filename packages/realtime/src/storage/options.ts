import type { Duration } from '@tiercel/core'
import { toMs } from '@tiercel/core/connection'
import { wholeNumber } from '../backend/names.js'
import type { QueueLimits } from '../queues/key-queue.js'
import { queueLimits } from '../queues/queue.js'

export interface StorageOptions {
  /** How long each kind is kept after it was written last. */
  readonly ttl?: {
    /** Default `'24h'`. */
    readonly sessions?: Duration
    /** All events of a session, from the last on. Default `'24h'`. */
    readonly events?: Duration
    /** Which chains a session has. Default `'24h'`. */
    readonly chains?: Duration
    /** A chain itself. Default `'24h'`. */
    readonly chain?: Duration
    /** Each command by itself. Default `'5m'`. */
    readonly commands?: Duration
    /** Each input by itself. Default `'5m'`. */
    readonly input?: Duration
  }
  /** So many events, and so many chains, of a session are kept: the last ones. Default 10,000. */
  readonly maxEvents?: number
  /** So many commands, and so many inputs, of a session wait; more are refused. Default 1000. */
  readonly maxQueued?: number
  /** How long who claimed a command or an input has to acknowledge it. Default `'30s'`. */
  readonly claim?: Duration
}

export interface StorageLimits {
  readonly sessionMs: number
  readonly eventsMs: number
  readonly chainsMs: number
  readonly chainMs: number
  readonly maxEvents: number
  readonly commands: QueueLimits
  readonly input: QueueLimits
}

/** @throws {InvalidOptionError} */
export function storageLimits({ ttl = {}, maxEvents = 10_000, maxQueued = 1000, claim = '30s' }: StorageOptions): StorageLimits {
  return {
    sessionMs: toMs(ttl.sessions ?? '24h', 'ttl.sessions'),
    eventsMs: toMs(ttl.events ?? '24h', 'ttl.events'),
    chainsMs: toMs(ttl.chains ?? '24h', 'ttl.chains'),
    chainMs: toMs(ttl.chain ?? '24h', 'ttl.chain'),
    maxEvents: wholeNumber(maxEvents, 'maxEvents', 1, 1_000_000),
    commands: queueLimits({ ttl: ttl.commands ?? '5m', maxItems: maxQueued, claim }),
    input: queueLimits({ ttl: ttl.input ?? '5m', maxItems: maxQueued, claim }),
  }
}
