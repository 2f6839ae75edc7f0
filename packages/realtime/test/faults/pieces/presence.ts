import { expect, vi } from 'vitest'
import { PresenceService } from '../../../src/presence/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'

const ROOMS = ['lobby', 'hall', 'yard']
/** Nobody who comes here goes, or comes again: what is missed is made up for by nothing else. */
const QUIET = 'quiet'

export const presence: Piece = {
  name: 'presence',
  promised: 'no call fails, and everybody knows who is online as soon as it is over',
  refusesOnly: [],
  async begin({ hit, other }) {
    const [mine, theirs] = [new PresenceService({ backend: hit }), new PresenceService({ backend: other })]
    const rooms = new Map([...ROOMS, QUIET].map((room) => [room, new Set<string>()]))
    return {
      async operate(n) {
        if (n % 4 === 0) {
          rooms.get(QUIET)?.add(`once-${n}`)
          await mine.setOnline(`once-${n}`, `socket-${n}`, QUIET)
        }
        const room = ROOMS[n % ROOMS.length] ?? ''
        const user = `user-${n % 7}`
        const here = rooms.get(room) ?? new Set()
        if (here.delete(user)) await mine.setOffline(user, `socket-${user}`, room)
        else {
          here.add(user)
          await mine.setOnline(user, `socket-${user}`, room)
        }
      },
      async check() {
        await vi.waitUntil(async () => {
          const seen = await Promise.all(Array.from(rooms, async ([room, users]) => (await theirs.getOnlineUsers(room)).toSorted().join() === [...users].toSorted().join()))
          return seen.every(Boolean)
        }, soon)
        const all = new Set([...rooms.values()].flatMap((users) => [...users]))
        await vi.waitUntil(async () => (await theirs.getOnlineUsers()).length === all.size, soon)
        expect(new Set(await theirs.getOnlineUsers())).toEqual(all)
      },
      async end() {
        await mine.close()
        await theirs.close()
      },
    }
  },
}
