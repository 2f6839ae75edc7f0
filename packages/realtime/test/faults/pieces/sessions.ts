import session from 'express-session'
import { expect, vi } from 'vitest'
import { createChatSessionStore, createExpressSessionStore, createSessionCache, StorageManager, type SessionConflict } from '../../../src/sessions/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'
import { inOrder } from './numbers.js'

export const chatSessions: Piece = {
  name: 'chat sessions',
  promised: 'each message that was confirmed is there, in order and once',
  async begin(stage) {
    const [mine, theirs] = [createChatSessionStore<object, number>({ backend: stage.hit, maxMessages: 100_000 }), createChatSessionStore<object, number>({ backend: stage.other })]
    const confirmed: number[] = []
    return {
      async operate(n) {
        const { lasts } = stage
        if (await mine.addMessageToSession('s', n)) {
          if (lasts) confirmed.push(n)
        } else {
          await mine.createSession('s', {})
        }
      },
      async check() {
        const messages = await theirs.getSessionMessages('s', 100_000)
        expect(messages).toEqual(inOrder(messages))
        expect(messages).toEqual(expect.arrayContaining(confirmed))
        expect((await theirs.getAllActiveSessions()).map(({ id }) => id)).toEqual(['s'])
      },
    }
  },
}

export const storageManager: Piece = {
  name: 'storage manager',
  promised: 'no call fails, and everybody finds the last that was written, without a conflict',
  refusesOnly: [],
  async begin(stage) {
    const conflicts: SessionConflict[] = []
    const [mine, theirs] = [new StorageManager({ backend: stage.hit, onConflict: (conflict) => conflicts.push(conflict) }), new StorageManager({ backend: stage.other })]
    await mine.initialize()
    await theirs.initialize()
    const storage = mine.getStorage()
    await storage.createSession('s', { n: -1 })
    await storage.createSession('quiet', { n: 0 })
    let last = -1
    return {
      async operate(n) {
        expect(await storage.updateSession('s', { n, [`f${n}`]: n })).toMatchObject({ n })
        await storage.addMember('s', String(n), { n })
        last = n
        expect(await storage.getSession('s')).toMatchObject({ n })
      },
      async check() {
        await vi.waitUntil(() => mine.getStatus().storageType === 'redis' && theirs.getStatus().storageType === 'redis', soon)
        const found = await theirs.getStorage().getSession('s')
        expect(found).toMatchObject({ n: last })
        expect(Object.keys(found?.members ?? {})).toHaveLength(last + 1)
        expect(Object.keys(found ?? {}).filter((name) => name.startsWith('f'))).toHaveLength(last + 1)
        expect(await theirs.getStorage().getSession('quiet')).toMatchObject({ n: 0 })
        expect(conflicts).toEqual([])
      },
      async end() {
        await mine.close()
        await theirs.close()
      },
    }
  },
}

export const sessionCache: Piece = {
  name: 'session cache',
  promised: 'a session that was confirmed is there, and all of a user are removed at once',
  async begin(stage) {
    const [mine, theirs] = [createSessionCache({ backend: stage.hit }), createSessionCache({ backend: stage.other })]
    const confirmed: number[] = []
    return {
      async operate(n) {
        const { lasts } = stage
        await mine.setSession(`socket-${n}`, { userId: 'ada', n }, 600)
        if (lasts) confirmed.push(n)
        expect(await mine.getSession(`socket-${n}`)).toEqual(stage.lasts ? { userId: 'ada', n } : expect.anything())
      },
      async check() {
        const found = await Promise.all(confirmed.map((n) => theirs.getSession(`socket-${n}`)))
        expect(found.map((each) => each?.n)).toEqual(confirmed)
        expect(await theirs.deleteUserSessions('ada')).toBeGreaterThanOrEqual(confirmed.length)
        expect(await stage.cli('KEYS', `${stage.hit.prefix}socket:*`)).toEqual([])
      },
    }
  },
}

export const expressSessions: Piece = {
  name: 'express sessions',
  promised: 'a session that was confirmed is there, and all of them are found and removed',
  async begin(stage) {
    const [mine, theirs] = [createExpressSessionStore(session, { backend: stage.hit }), createExpressSessionStore(session, { backend: stage.other })]
    const confirmed: number[] = []
    const called = <T>(call: (done: (error?: unknown, result?: T | null) => void) => void) =>
      new Promise<T | null | undefined>((resolve, reject) => call((error, result) => (error === undefined || error === null ? resolve(result) : reject(error as Error))))
    return {
      async operate(n) {
        const { lasts } = stage
        await called((done) => mine.set(`s${n}`, { cookie: { originalMaxAge: null }, n } as never, done))
        if (lasts) confirmed.push(n)
        await called((done) => mine.touch?.(`s${n}`, { cookie: { originalMaxAge: null } } as never, () => done()))
      },
      async check() {
        const found = await Promise.all(confirmed.map((n) => called<{ n?: number }>((done) => theirs.get(`s${n}`, done as never))))
        expect(found.map((each) => each?.n)).toEqual(confirmed)
        await called((done) => theirs.clear?.(done))
        expect(await stage.cli('KEYS', `${stage.hit.prefix}express:*`)).toEqual([])
      },
    }
  },
}
