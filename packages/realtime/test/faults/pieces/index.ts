import type { Piece } from '../piece.js'
import { channels } from './channels.js'
import { denylist } from './denylist.js'
import { locks } from './locks.js'
import { presence } from './presence.js'
import { queryCache } from './query-cache.js'
import { queue } from './queue.js'
import { rateLimiter } from './rate-limiter.js'
import { redisService } from './redis-service.js'
import { chatSessions, expressSessions, sessionCache, storageManager } from './sessions.js'
import { socketIoByPubSub, socketIoByStreams } from './socket-io.js'
import { storage } from './storage.js'

export const pieces: readonly Piece[] = [storage, queue, chatSessions, storageManager, sessionCache, expressSessions, channels, presence, redisService, queryCache, socketIoByPubSub, socketIoByStreams, locks, denylist, rateLimiter]
