import { expect, it, vi } from 'vitest'
import { createSessionCache } from '../../src/sessions/index.js'
import { describeEverywhere, soon } from '../ground/ground.js'

describeEverywhere('sessions by socket', (ground) => {
  it('are found by the id of the socket, in every process (D3)', async () => {
    const [one, other] = [createSessionCache({ backend: await ground.process() }), createSessionCache({ backend: await ground.process() })]
    await one.setSession('socket', { userId: 'ada', room: 'lobby' }, 60)
    expect(await other.getSession('socket')).toEqual({ userId: 'ada', room: 'lobby' })
    expect(await other.deleteSession('socket')).toBe(true)
    expect(await other.deleteSession('socket')).toBe(false)
    expect(await one.getSession('socket')).toBeUndefined()
  })

  it('of one user go together, and nobody else’s (D3)', async () => {
    const [one, other] = [createSessionCache({ backend: await ground.process() }), createSessionCache({ backend: await ground.process() })]
    for (const id of ['a1', 'a2', 'a3']) await one.setSession(id, { userId: 'ada' }, 60)
    await one.setSession('b1', { userId: 'bo' }, 60)
    await one.setSession('n', { guest: true }, 60)
    await one.setSession('a3', { userId: 'bo' }, 60)
    expect(await other.deleteUserSessions('ada')).toBe(2)
    const left = await Promise.all(['a1', 'a2', 'a3', 'b1', 'n'].map(async (id) => (await one.getSession(id)) !== undefined))
    expect(left).toEqual([false, false, true, true, true])
    expect(await other.deleteUserSessions('ada')).toBe(0)
    expect(await ground.cli('EXISTS', `${ground.prefix}index:user-sockets:ada`), 'what is known of the user').toBe(0)
    await one.deleteSession('b1')
    expect(await ground.cli('ZRANGE', `${ground.prefix}index:user-sockets:bo`, 0, -1)).toEqual(['a3'])
  })

  it('go when their time is over, and leave nothing behind', async () => {
    const cache = createSessionCache({ backend: await ground.process() })
    await cache.setSession('socket', { userId: 'ada' }, 0.1)
    await vi.waitUntil(async () => (await ground.cli('EXISTS', `${ground.prefix}socket:socket`, `${ground.prefix}index:user-sockets:ada`)) === 0, soon)
    await expect(cache.setSession('socket', {}, 0)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('tell whose they are as they are told to', async () => {
    const cache = createSessionCache<{ owner: string }>({ backend: await ground.process(), userOf: ({ owner }) => owner })
    await cache.setSession('socket', { owner: 'ada' }, 60)
    expect(await cache.deleteUserSessions('ada')).toBe(1)
  })
})
