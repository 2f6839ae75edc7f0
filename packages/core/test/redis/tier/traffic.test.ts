import { expect, it, vi } from 'vitest'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis, startProxy } from '../server/index.js'
import { isConnected, soon, useTier } from './tier.js'

const named = (commands: readonly string[][]) => commands.map(([name]) => name?.toUpperCase())

describeWithRedis('what is asked of Redis', () => {
  const tier = useTier()
  const keys = (count: number) => Array.from({ length: count }, (_, i) => `k${i}`)

  it('is nothing for what memory has', async () => {
    const cache = await tier.open()
    await cache.setMany(keys(50).map((key) => [key, 1]), { tags: ['t'], room: 'r' })
    const commands = await tier.commandsDuring(async () => {
      for (let round = 0; round < 10; round++) {
        await Promise.all(keys(50).map((key) => cache.getOrSet(key, () => 2, { tags: ['t'], room: 'r' })))
        await cache.getMany(keys(50))
        await cache.has('k1')
        await cache.ttl('k1')
        cache.peek('k1')
      }
    })
    expect(commands).toEqual([])
  })

  it('is one MGET for 64 who read in one tick, with the token of their namespace once', async () => {
    await (await tier.open()).setMany(keys(64).map((key) => [key, 1]))
    const cache = await tier.open()
    const commands = await tier.commandsDuring(async () => {
      const values = await Promise.all(keys(64).map((key) => cache.get(key)))
      expect(new Set(values)).toEqual(new Set([1]))
    })
    expect(named(commands)).toEqual(['MGET'])
    expect(commands[0]).toHaveLength(1 + 64 + 1)
  })

  it('is one MGET for several who read the same key, and for one who is alone', async () => {
    await (await tier.open()).set('k', 1, { tags: ['t'] })
    const cache = await tier.open()
    const commands = await tier.commandsDuring(async () => {
      await Promise.all(Array.from({ length: 20 }, () => cache.get('k', { tags: ['t'] })))
    })
    expect(commands).toEqual([['MGET', 'tiercel:1:{k}:v', 'tiercel:1:g', 'tiercel:1:t:t']])
  })

  it('takes no more than 512 keys in one command', async () => {
    const one = await tier.open()
    for (let i = 0; i < 1200; i += 50) await one.setMany(keys(1200).slice(i, i + 50).map((key) => [key, 1]))
    const cache = await tier.open()
    const commands = await tier.commandsDuring(async () => expect((await cache.getMany(keys(1200))).size).toBe(1200))
    expect(commands.map((command) => command.length - 1)).toEqual([512, 512, 1201 - 1024])
  })

  it('is one MGET for all who read in one turn while an answer is on its way, though each reads in a tick of its own', async () => {
    const one = await tier.open()
    await one.setMany(keys(5).map((key) => [key, 1]))
    const proxy = await startProxy(tier.redis.port)
    try {
      const cache = tier.opening({ redis: proxy.url })
      await vi.waitUntil(() => isConnected(cache), soon)
      // The first answer is still on its way when the others ask.
      proxy.delay(100)
      const commands = await tier.commandsDuring(async () => {
        const first = cache.get('k0')
        const others = keys(5).slice(1).map((key) => new Promise((resolve) => setImmediate(() => resolve(cache.get(key)))))
        expect(await Promise.all([first, ...others])).toEqual([1, 1, 1, 1, 1])
      })
      expect(commands.map((command) => command.length - 1)).toEqual([1 + 1, 4 + 1])
      await cache.close()
    } finally {
      await proxy.stop()
    }
  })

  it('is one INFO for a connection, however often it is confirmed that nothing was missed', async () => {
    await tier.open({ maxStaleness: '60ms' })
    await tier.redis.cli('CONFIG', 'RESETSTAT')
    const calls = (stats: string, command: string) => Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
    let asked = 0
    await vi.waitUntil(async () => {
      const stats = String(await tier.redis.cli('INFO', 'commandstats'))
      // Those are ours, and it does not count the one that it answers.
      expect(calls(stats, 'info')).toBe(asked++)
      return calls(stats, 'evalsha') >= 5
    }, soon)
  })

  it('is a second MGET only for tags that the entry names and the call does not', async () => {
    await (await tier.open()).set('k', 1, { tags: ['t'], room: 'r' })
    const cache = await tier.open()
    const commands = await tier.commandsDuring(() => cache.get('k'))
    expect(commands).toEqual([
      ['MGET', 'tiercel:1:{k}:v', 'tiercel:1:g'],
      ['MGET', expect.stringMatching(/^tiercel:1:t:@?[rt]$/), expect.stringMatching(/^tiercel:1:t:@?[rt]$/)],
    ])
  })

  it('is a read, a lease and a commit for a load, whoever waits for it', async () => {
    const cache = await tier.open()
    await cache.getOrSet('before', () => 1)
    const load = heldLoader()
    const commands = await tier.commandsDuring(async () => {
      const calls = Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('k', load, { tags: ['t'] })))
      ;(await load.called()).succeed('v')
      await calls
    })
    expect(named(commands)).toEqual(['MGET', 'EVALSHA', 'EVALSHA'])
  })

  it('is a read, a lease and its end for a load that keeps nothing', async () => {
    const cache = await tier.open()
    const skip = async (key: string) => {
      await cache.getOrSet(key, (ctx) => ctx.skip(1))
      await vi.waitUntil(async () => (await tier.redis.cli('GET', `tiercel:1:{${key}}:l`)) === '!', soon)
    }
    await skip('before')
    expect(named(await tier.commandsDuring(() => skip('k')))).toEqual(['MGET', 'EVALSHA', 'EVALSHA'])
  })

  it('is one command, and the same, for a room of 10 and of 1000', async () => {
    const cache = await tier.open()
    await cache.invalidateRoom('so that Redis knows the script')
    const invalidating = async (room: string) => (await tier.commandsDuring(() => cache.invalidateRoom(room))).map((command) => command.map((argument) => argument.length))
    await cache.setMany(keys(10).map((key) => [key, 1]), { room: 'small' })
    for (let i = 0; i < 1000; i += 50) await cache.setMany(keys(50).map((key) => [`${key}:${i}`, 1]), { room: 'large' })
    const [[small = []], [large = [], ...more]] = [await invalidating('small'), await invalidating('large')]
    expect(more).toEqual([])
    expect(small.length).toBeGreaterThan(0)
    expect(large).toHaveLength(small.length)
    // A random part counts up, and so may grow by a letter.
    const size = (lengths: readonly number[]) => lengths.reduce((sum, length) => sum + length, 0)
    expect(Math.abs(size(large) - size(small))).toBeLessThan(4)
  })

  it('is one announcement for all that is set together', async () => {
    const cache = await tier.open()
    await tier.redis.cli('CONFIG', 'RESETSTAT')
    await cache.setMany(keys(20).map((key) => [key, 1]))
    expect(String(await tier.redis.cli('INFO', 'commandstats'))).toMatch(/cmdstat_publish:calls=1,/)
  })

  it('is not repeated with the text of a script that Redis knows', async () => {
    const cache = await tier.open()
    const work = async () => {
      await cache.getOrSet('k', () => 1, { tags: ['t'] })
      await cache.set('k', 2)
      await cache.touch('k')
      await cache.expire({ key: 'k' })
      await cache.invalidate({ all: true })
    }
    await work()
    expect(named(await tier.commandsDuring(work))).not.toContain('EVAL')
    await tier.redis.cli('SCRIPT', 'FLUSH')
    expect(named(await tier.commandsDuring(work))).toContain('EVAL')
    expect(named(await tier.commandsDuring(work))).not.toContain('EVAL')
    expect(tier.errors).toEqual([])
  })

  it('may take the deadline for all keys of a batch together, since it is asked together', async () => {
    const proxy = await startProxy(tier.redis.port)
    try {
      const cache = tier.opening({ redis: proxy.url, deadline: '20s' })
      await vi.waitUntil(() => isConnected(cache), soon)
      // One after the other would take 30 s.
      proxy.delay(300)
      await cache.setMany(keys(50).map((key) => [key, 1]))
      expect(cache.health()).toMatchObject({ healthy: true, redis: { journal: 0 } })
      await cache.close()
    } finally {
      await proxy.stop()
    }
  })
})
