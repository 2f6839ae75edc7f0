import { expect, it, vi } from 'vitest'
import { createBackend } from '../../src/index.js'
import { createLocks, type LocksOptions } from '../../src/locks/index.js'
import { describeEverywhere, type Ground, soon } from '../ground/ground.js'

describeEverywhere('locks', (ground) => {
  const open = (options: LocksOptions = {}) => openOn(ground, options)

  it('are held by one holder at a time, and go to who waits when they are released (D7)', async () => {
    const [one, other] = [await open(), await open()]
    const lock = await one.acquire('report')
    await expect(other.acquire('report', { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
    await expect(one.acquire('report', { wait: '30ms' })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
    await other.acquire('another', { wait: 0 })
    let isReleased = false
    const waiting = other.acquire('report').then((next) => ({ next, isReleased }))
    await vi.waitUntil(() => other.stats().waiting === 1, soon)
    isReleased = true
    expect(await lock.release()).toBe(true)
    expect(await waiting).toMatchObject({ isReleased: true, next: { isHeld: true } })
    expect([one.stats(), other.stats()]).toMatchObject([{ held: 0, acquired: 1, released: 1, timedOut: 1, lost: 0 }, { held: 2, acquired: 2, timedOut: 1, waiting: 0 }])
  })

  it('have a fence that grows with every holder', async () => {
    const [one, other] = [await open(), await open()]
    const fences: number[] = []
    for (const locks of [one, other, other, one]) {
      const lock = await locks.acquire('report')
      fences.push(lock.fence)
      await lock.release()
    }
    expect(fences.every(Number.isSafeInteger)).toBe(true)
    expect(fences).toEqual([...new Set(fences)].toSorted((a, b) => a - b))
  })

  it('go to others when a holder that does not extend them says nothing any more, and the holder knows before', async () => {
    const [one, other] = [await open({ ttl: '200ms', autoExtend: false }), await open()]
    const lock = await one.acquire('report')
    // One that was lost before its holder was told of it counts as well.
    const { lost } = one.stats()
    const next = await other.acquire('report')
    // The clock is looked at, and nothing waits for a timer.
    expect(lock.isHeld).toBe(false)
    expect(lock.signal).toMatchObject({ aborted: true, reason: { code: 'TIERCEL_LOCK_LOST' } })
    expect(next.fence).toBeGreaterThan(lock.fence)
    expect(one.stats()).toMatchObject({ lost: lost + 1, held: 0, released: 0 })
  })

  it('are released and extended by their holder only', async () => {
    const [one, other] = [await open({ ttl: '500ms', autoExtend: false }), await open()]
    const lock = await one.acquire('report')
    const next = await other.acquire('report')
    expect(await lock.release()).toBe(false)
    await expect(lock.extend()).rejects.toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
    await expect(one.acquire('report', { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
    expect(next.isHeld).toBe(true)
    expect(await next.release()).toBe(true)
    expect(await next.release()).toBe(false)
    await expect(next.extend()).rejects.toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
  })

  it('are extended while they are held, by themselves or on request', async () => {
    const [one, other] = [await open({ ttl: '7s' }), await open()]
    const [kept, long] = [await one.acquire('kept'), await one.acquire('long', { autoExtend: false })]
    await long.extend('1h')
    // What arrives late, or was not confirmed, must not take away what the holder relies on.
    await long.extend('100ms')
    // It ends after both were taken, so it outlives what is not extended.
    const short = await other.acquire('short', { ttl: '8s', autoExtend: false })
    await vi.waitUntil(() => !short.isHeld, soon)
    expect([kept.isHeld, long.isHeld]).toEqual([true, true])
    for (const name of ['kept', 'long']) await expect(other.acquire(name, { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
  })

  it('are held as long as work takes, and given back however it ends', async () => {
    const locks = await open()
    const seen = await locks.withLock('report', async (lock) => {
      await expect(locks.acquire('report', { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
      return lock.isHeld
    })
    expect(seen).toBe(true)
    await expect(locks.withLock('report', () => Promise.reject(new RangeError('no')))).rejects.toThrow(RangeError)
    expect(locks.stats()).toMatchObject({ held: 0, released: 2 })
    {
      await using lock = await locks.acquire('report', { wait: 0 })
      expect(lock.isHeld).toBe(true)
    }
    await locks.acquire('report', { wait: 0 })
  })

  it('fail the work during which they were lost', async () => {
    const locks = await open({ ttl: '500ms', autoExtend: false })
    const lost = locks.withLock('report', async ({ signal }) => {
      await vi.waitUntil(() => signal.aborted, soon)
      return 'done'
    })
    await expect(lost).rejects.toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
  })

  it('are not waited for by who gives up, and not kept for them', async () => {
    const [one, other] = [await open(), await open()]
    const lock = await one.acquire('report')
    const giveUp = new AbortController()
    const waiting = other.acquire('report', { wait: '1h', signal: giveUp.signal })
    await vi.waitUntil(() => other.stats().waiting === 1, soon)
    giveUp.abort(new RangeError('enough'))
    await expect(waiting).rejects.toThrow(RangeError)
    await expect(other.acquire('report', { signal: giveUp.signal })).rejects.toThrow(RangeError)
    await lock.release()
    const late = new AbortController()
    const taken = other.acquire('report', { signal: late.signal })
    late.abort(new RangeError('just now'))
    await expect(taken).rejects.toThrow(RangeError)
    await one.acquire('report', { wait: '5s' })
  })

  it('are given back when they are closed, and nobody waits for one any more', async () => {
    const [one, other] = [await open(), await open()]
    const lock = await one.acquire('report')
    const refused = one.acquire('report', { wait: '1h' }).catch((error: unknown) => error)
    await vi.waitUntil(() => one.stats().waiting === 1, soon)
    await one.close()
    expect(await refused).toMatchObject({ code: 'TIERCEL_CLOSED' })
    expect(lock.isHeld).toBe(false)
    await other.acquire('report', { wait: 0 })
    await expect(one.acquire('x')).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
    expect([one.health().healthy, other.health().healthy]).toEqual([false, true])
  })

  it('refuse what cannot be', async () => {
    const locks = await open()
    for (const options of [{ ttl: '10ms' }, { ttl: '2d' }, { wait: -1 }] as const) await expect(locks.acquire('x', options)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
    await expect(locks.acquire('')).rejects.toMatchObject({ code: 'TIERCEL_INVALID_KEY' })
    await expect(locks.withLock('x', undefined as never)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })
})

it('are refused without Redis, unless they are for this process only and say so', async () => {
  const backend = createBackend({ redis: false })
  expect(() => createLocks({ backend })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  expect(() => createLocks({ backend, scope: 'memory' as never })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  const locks = createLocks({ backend, scope: 'process' })
  expect(locks.health()).toEqual({ healthy: true, scope: 'process', redis: undefined })
  await locks.close()
  await backend.close()
})

async function openOn(ground: Ground, options: LocksOptions) {
  return createLocks({ backend: await ground.process(), scope: ground.hasRedis ? 'shared' : 'process', ...options })
}
