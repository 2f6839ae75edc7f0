import { startProxy } from '@tiercel/core/testing'
import { expect, it, vi } from 'vitest'
import { startRedis } from '../../../core/test/redis/server/index.js'
import { createLocks } from '../../src/locks/index.js'
import { describeOnRedis, soon } from '../ground/ground.js'

describeOnRedis('locks, when Redis is away', (ground) => {
  it('are refused, and what is held is lost when its time is over, unless Redis is back before (D7)', async () => {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const proxy = await startProxy(redis)
    try {
      const backend = await ground.process({ redis: ground.target(proxy.url), deadline: '3s', connectTimeout: '1s' })
      await vi.waitUntil(() => backend.link?.state === 'up', soon)
      const locks = createLocks({ backend })
      const [long, short] = [await locks.acquire('long', { ttl: '10m' }), await locks.acquire('short', { ttl: '2s' })]
      // One that was lost before its holder was told of it counts as well.
      const { lost } = locks.stats()
      proxy.blackhole()
      await expect(locks.acquire('x', { wait: '1h' })).rejects.toMatchObject({ code: expect.stringMatching(/^TIERCEL_REDIS_/) as string })
      await expect(long.extend()).rejects.toMatchObject({ code: expect.stringMatching(/^TIERCEL_REDIS_/) as string })
      await vi.waitUntil(() => short.signal.aborted, soon)
      expect(short.signal.reason).toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
      expect([short.isHeld, long.isHeld]).toEqual([false, true])
      await vi.waitUntil(() => !locks.health().healthy, soon)
      expect(locks.stats()).toMatchObject({ lost: lost + 1, failed: 1, held: 1 })
      proxy.heal()
      await vi.waitUntil(() => locks.health().healthy, soon)
      await long.extend()
      expect(await long.release()).toBe(true)
    } finally {
      await proxy.stop()
      await redis.stop()
    }
  })

  it('that Redis has lost are lost for their holder, and the next fence is greater all the same', async () => {
    const locks = createLocks({ backend: await ground.process(), ttl: '5s' })
    const byItself = await locks.acquire('report')
    await ground.cli('FLUSHALL')
    const next = await locks.acquire('report', { wait: 0, autoExtend: false })
    expect(next.fence).toBeGreaterThan(byItself.fence)
    await vi.waitUntil(() => byItself.signal.aborted, soon)
    expect(byItself.signal.reason).toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
    await ground.cli('FLUSHALL')
    expect(await (await locks.acquire('other')).release()).toBe(true)
    const gone = await locks.acquire('other')
    await ground.cli('FLUSHALL')
    expect(await gone.release()).toBe(false)
    expect(gone.signal.aborted).toBe(true)
    const mistaken = await locks.acquire('fourth', { ttl: '1m', autoExtend: false })
    await ground.cli('FLUSHALL')
    await locks.acquire('fourth', { wait: 0, ttl: '1m' })
    expect([mistaken.isHeld, await mistaken.release()]).toEqual([true, false])
    await expect(locks.acquire('fourth', { wait: 0 })).rejects.toMatchObject({ code: 'TIERCEL_LOCK_TIMEOUT' })
    await expect(locks.withLock('third', () => ground.cli('FLUSHALL'))).rejects.toMatchObject({ code: 'TIERCEL_LOCK_LOST' })
  })

  it('have a greater fence also when the clock of Redis was set back', async () => {
    const locks = createLocks({ backend: await ground.process() })
    const first = await locks.acquire('report')
    await first.release()
    const ahead = first.fence + 3_600_000_000
    await ground.cli('SET', `{${ground.prefix}lock:report}:fence`, String(ahead), 'PX', '60000')
    expect((await locks.acquire('report')).fence).toBe(ahead + 1)
  })

  it('are not kept when the answer was lost', async () => {
    const redis = await startRedis()
    const proxy = await startProxy(redis)
    try {
      const backend = await ground.process({ redis: ground.target(proxy.url) })
      await vi.waitUntil(() => backend.link?.state === 'up', soon)
      const locks = createLocks({ backend, ttl: '1h' })
      proxy.dropReply({ nth: 1 })
      const lost = await locks.acquire('report').then(() => false, () => true)
      expect(lost).toBe(true)
      await vi.waitUntil(async () => (await redis.cli('EXISTS', `${ground.prefix}lock:report`)) === 0, soon)
    } finally {
      await proxy.stop()
      await redis.stop()
    }
  })
})
