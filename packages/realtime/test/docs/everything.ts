import { createServer } from 'node:http'
import session from 'express-session'
import { Server } from 'socket.io'
import { vi } from 'vitest'
import type { RedisTarget } from '@tiercel/core'
import {
  Backend,
  connectSocketIo,
  createChatSessionStore,
  createDenylist,
  createExpressSessionStore,
  createLocks,
  createQueue,
  createRateLimiter,
  createRedisService,
  createSessionCache,
  createStorage,
  type PresenceChange,
  PresenceService,
  StorageManager,
} from '../../src/index.js'
import { soon } from '../ground/ground.js'

/** Does a bit of everything with a Redis, and leaves keys of every kind there. */
export async function useEverything(redis: RedisTarget, look: () => Promise<void>): Promise<void> {
  const backend = new Backend({ redis, prefix: 'app:', deadline: '30s', serverId: 'web-1' })
  await backend.ready()
  const io = new Server(createServer())
  const manager = new StorageManager({ backend })
  try {
    await useStorage(backend)
    await useGuards(backend)
    // The shortest-lived key is one of theirs, so not much comes after them.
    await useSessions(backend, manager)
    await useOthers(backend, io)
    await look()
  } finally {
    await io.close()
    await manager.close()
    await backend.close()
  }
}

/** Has two servers of Socket.IO that talk by streams. */
export async function useStreams(redis: RedisTarget, look: () => Promise<void>): Promise<void> {
  const servers = [new Server(createServer()), new Server(createServer())]
  const connections = await Promise.all(servers.map((io) => connectSocketIo(io, { redis, prefix: 'app:', deadline: '30s', adapter: 'streams' })))
  try {
    for (const io of servers) io.emit('message', 'Hello')
    // Asked of each other, they have 5 s to answer.
    await vi.waitFor(() => Promise.all(servers.map((io) => io.fetchSockets())), soon)
    await look()
  } finally {
    for (const io of servers) await io.close()
    await Promise.all(connections.map((connection) => connection.close()))
  }
}

async function useStorage(backend: Backend): Promise<void> {
  const storage = createStorage({ backend })
  await storage.onEvent(() => {})
  await storage.setSession('s1', { title: 'First' })
  await storage.updateSession('s1', { title: 'Second' })
  await storage.getSessions()
  await storage.addEvent('s1', 'started')
  await storage.getEvents('s1')
  await storage.addChain('s1', { step: 1 }, 'c1')
  await storage.getChains('s1')
  await storage.setSession('gone', {})
  await storage.deleteSession('gone')
  await storage.addCommand('s1', 'go', { idempotencyKey: 'once' })
  await storage.addInput('s1', 'yes', { idempotencyKey: 'once' })
  await storage.getCommands('s1')
  const [item] = await storage.claimInput('s1')
  await storage.acknowledgeInput('s1', [item?.id ?? ''])
  await storage.addInput('s1', 'no')
  const queue = createQueue<string>('resize', { backend })
  for (const name of ['a', 'b']) await queue.add(name, { idempotencyKey: name })
  await queue.drain()
  await queue.add('c')
}

async function useGuards(backend: Backend): Promise<void> {
  const limiter = createRateLimiter({ backend, name: 'search', limit: 5, window: '1h' })
  await limiter.consume('ada')
  const denylist = createDenylist({ backend })
  await denylist.revoke('token', { expiresAt: new Date(Date.now() + 3_600_000) })
  await denylist.isRevoked('token')
  const locks = createLocks({ backend })
  await locks.acquire('kept')
  const lock = await locks.acquire('report')
  await lock.extend()
  await lock.release()
}

async function useSessions(backend: Backend, manager: StorageManager): Promise<void> {
  await manager.initialize()
  const live = manager.getStorage()
  await live.createSession('jam', { tempo: 120 })
  await live.addMember('jam', 'ada', {})
  await live.removeMember('jam', 'ada')
  await live.getSessions()
  await live.createSession('gone', {})
  await live.deleteSession('gone')
  await manager.healthCheck()
  const chat = createChatSessionStore({ backend })
  await chat.createSession('c1', {})
  await chat.updateSession('c1', { subject: 'A' })
  await chat.addMessageToSession('c1', 'Hello')
  await chat.getSessionMessages('c1')
  await chat.getAllActiveSessions()
  await chat.mapUserToSocket('ada', 'socket-1')
  await chat.unmapUser('ada', 'another')
  await chat.mapAgentToSocket('grace', 'socket-2')
  await chat.getAvailableAgents()
  await chat.cleanupExpiredSessions()
  const sockets = createSessionCache({ backend })
  for (const id of ['socket-1', 'socket-2']) await sockets.setSession(id, { userId: id }, 60)
  await sockets.deleteSession('socket-2')
  const express = createExpressSessionStore(session, { backend })
  const visit = { cookie: new session.Cookie() } as session.SessionData
  await new Promise((done) => express.set('e1', visit, done))
  await new Promise<void>((done) => express.touch?.('e1', visit, done))
}

async function useOthers(backend: Backend, io: Server): Promise<void> {
  const presence = new PresenceService({ backend })
  await presence.onChange((_change: PresenceChange) => {})
  await presence.setOnline('ada', 'socket-1', 'lobby')
  await presence.setOnline('ada', 'socket-2', 'lobby')
  await presence.setOffline('ada', 'socket-2')
  await presence.heartbeat()
  await presence.isOnline('ada')
  await presence.getOnlineUsers('lobby')
  const { pubSub } = backend
  const end = await pubSub.subscribe('room:1', () => {})
  await pubSub.subscribePattern('room:*', () => {})
  await pubSub.publish('room:1', 1)
  end()
  pubSub.unsubscribePattern('room:*')
  await connectSocketIo(io, { backend })
  await io.fetchSockets()
  const service = createRedisService({ backend })
  await service.set('text', 'a', 60)
  await service.setIfAbsent('text', 'b')
  await service.get('text')
  await service.exists('text')
  await service.expire('text', 60)
  await service.ttl('text')
  await service.incr('number')
  await service.incrBy('number', 2)
  await service.decr('number')
  await service.hset('hash', { a: '1', b: '2' })
  await service.hget('hash', 'a')
  await service.hgetall('hash')
  await service.hdel('hash', 'b')
  await service.hexists('hash', 'a')
  await service.hkeys('hash')
  await service.hlen('hash')
  await service.hincrby('hash', 'a', 1)
  await service.sadd('set', 'a', 'b')
  await service.srem('set', 'b')
  await service.smembers('set')
  await service.sismember('set', 'a')
  await service.scard('set')
  await service.lpush('list', 'a')
  await service.rpush('list', 'b', 'c', 'd')
  await service.lpop('list')
  await service.rpop('list')
  await service.lrange('list', 0, -1)
  await service.ltrim('list', 0, 5)
  await service.lrem('list', 0, 'b')
  await service.llen('list')
  for (const pattern of ['text', 'number', 'hash', 'set', 'list']) await service.deletePattern(pattern)
}
