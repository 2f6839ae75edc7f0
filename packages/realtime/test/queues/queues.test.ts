import { setTimeout as pause } from 'node:timers/promises'
import { expect, it, vi } from 'vitest'
import { createQueue } from '../../src/queues/index.js'
import { describeEverywhere, describeOnRedis, soon } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const values = (items: readonly { readonly value: unknown }[]) => items.map(({ value }) => value)

describeEverywhere('queues', (ground) => {
  it('give what was put in, in that order, to one taker only (A3)', async () => {
    const [one, other] = [createQueue<number>('jobs', { backend: await ground.process() }), createQueue<number>('jobs', { backend: await ground.process() })]
    for (const n of [1, 2, 3]) await one.add(n)
    expect(values(await other.list())).toEqual([1, 2, 3])
    const taken = await Promise.all([one.drain(), other.drain()])
    expect(taken.map(values).toSorted((a, b) => b.length - a.length)).toEqual([[1, 2, 3], []])
    expect(await one.list()).toEqual([])
  })

  it('keep what is claimed until it is acknowledged', async () => {
    const queue = createQueue<string>('jobs', { backend: await ground.process() })
    for (const text of ['a', 'b', 'c']) await queue.add(text)
    const [first] = await queue.claim()
    expect(first).toMatchObject({ value: 'a' })
    expect(values(await queue.claim(5))).toEqual(['b', 'c'])
    expect(await queue.claim(5)).toEqual([])
    expect(await queue.drain()).toEqual([])
    expect(await queue.acknowledge(first?.id ?? '')).toBe(1)
    expect(await queue.acknowledge(first?.id ?? '')).toBe(0)
    expect(values(await queue.list())).toEqual(['b', 'c'])
  })

  it('give what was claimed and not acknowledged in time to the next', async () => {
    const queue = createQueue<string>('jobs', { backend: await ground.process(), claim: '50ms' })
    await queue.add('a')
    await queue.add('b')
    expect(values(await queue.claim(2))).toEqual(['a', 'b'])
    let again: unknown[] = []
    await vi.waitUntil(async () => {
      again = [...again, ...values(await queue.claim(2))]
      return again.length === 2
    }, soon)
    expect(again).toEqual(['a', 'b'])
  })

  it('forget each item by its own age, however busy they are (A3)', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), ttl: '300ms' })
    await queue.add(0)
    let n = 0
    await vi.waitFor(async () => {
      await queue.add(++n)
      const items = values(await queue.list())
      expect(items).not.toContain(0)
      expect(items).toContain(n)
    }, { ...soon, interval: 20 })
    await vi.waitUntil(async () => (await queue.list()).length === 0, soon)
  })

  it('take an item with a name once, also after it was taken out', async () => {
    const queue = createQueue<string>('jobs', { backend: await ground.process() })
    expect(await queue.add('a', { idempotencyKey: 'k' })).toEqual(expect.any(String))
    expect(await queue.add('a', { idempotencyKey: 'k' })).toBeUndefined()
    expect(values(await queue.drain())).toEqual(['a'])
    expect(await queue.add('a', { idempotencyKey: 'k' })).toBeUndefined()
    expect(await queue.add('b', { idempotencyKey: 'l' })).toEqual(expect.any(String))
    expect(values(await queue.list())).toEqual(['b'])
  })

  it('refuse what is too much, and what is no JSON', async () => {
    const queue = createQueue('jobs', { backend: await ground.process(), maxItems: 2 })
    await queue.add(1)
    await queue.add(2)
    await expect(queue.add(3)).rejects.toMatchObject({ code: 'TIERCEL_QUEUE_FULL' })
    expect(values(await queue.drain())).toEqual([1, 2])
    await queue.add(3)
    await expect(queue.add(() => {})).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    await expect(queue.claim(0)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
  })

  it('give nobody what is too old, however busy they are', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), ttl: '300ms', maxItems: 100_000 })
    await queue.add(0)
    const end = performance.now() + 350
    let n = 0
    while (performance.now() < end) {
      await queue.add(++n)
      // In memory there would be no end of them.
      if (n % 100 === 0) await pause(1)
    }
    expect(values(await queue.claim())).not.toEqual([0])
    expect(values(await queue.drain())).not.toContain(0)
  })

  it('have room again as soon as the oldest is too old, and for each by itself', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), ttl: '1s', maxItems: 3 })
    const outcomes: string[] = []
    await vi.waitUntil(async () => {
      outcomes.push(await queue.add(1).then(() => 'in', () => 'full'))
      // The first one after it was full, with others that are not too old yet.
      return outcomes.slice(-2).join() === 'full,in' && (await queue.list()).length > 1
    }, { ...soon, interval: 100 })
    expect(outcomes[0]).toBe('in')
  })

  it('forget each name by its own age', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), ttl: '200ms' })
    const names = `{${ground.prefix}queue:jobs}:seen`
    await queue.add(0, { idempotencyKey: 'first' })
    let n = 0
    await vi.waitUntil(async () => {
      await queue.add(++n, { idempotencyKey: String(n) })
      return (await ground.cli('ZSCORE', names, 'first')) === null && (await ground.cli('ZSCORE', names, String(n))) !== null
    }, { ...soon, interval: 20 })
    expect(await queue.add(0, { idempotencyKey: 'first' })).toEqual(expect.any(String))
  })

  it('find what was not finished behind however much that others are still at', async () => {
    const backend = await ground.process()
    const [busy, next] = [createQueue<number>('jobs', { backend, claim: '1ms' }), createQueue<number>('jobs', { backend, claim: '300ms' })]
    for (let n = 0; n <= 30; n++) await busy.add(n)
    await busy.claim(31)
    const found: unknown[] = []
    await vi.waitUntil(async () => {
      // These are claimed anew each time, and the last one is not.
      await busy.claim(30)
      found.push(...values(await next.claim()))
      return found.includes(30)
    }, { ...soon, interval: 20 })
    expect(found).toContain(30)
  })

  it('leave nothing behind', async () => {
    const queue = createQueue('jobs', { backend: await ground.process(), ttl: '100ms' })
    await queue.add(1, { idempotencyKey: 'k' })
    await queue.claim()
    const names = [`${ground.prefix}queue:jobs`, `{${ground.prefix}queue:jobs}:seen`]
    await vi.waitUntil(async () => (await ground.cli('EXISTS', ...names)) === 0, soon)
    expect(await queue.list()).toEqual([])
  })
})

describeOnRedis('queues and Redis', (ground) => {
  const start = useOwnProcesses()

  it('give what a process held that was killed to another', async () => {
    const queue = createQueue<string>('jobs', { backend: await ground.process(), claim: '100ms' })
    await queue.add('a')
    const killed = start(
      `const queue = realtime.createQueue('jobs', { redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s', claim: '10m' })
      say((await queue.claim()).length)
      await told()`,
      { URL: ground.redis.url, PREFIX: ground.prefix },
    )
    expect(await killed.line()).toBe('1')
    killed.signal('SIGKILL')
    expect(await killed.ended).toBe('SIGKILL')
    let again: unknown[] = []
    await vi.waitUntil(async () => (again = values(await queue.claim())).length > 0, soon)
    expect(again).toEqual(['a'])
  })

  it('let go of what is finished and what is drained', async () => {
    const queue = createQueue<number>('jobs', { backend: await ground.process(), claim: '1ms' })
    for (let n = 0; n < 4; n++) await queue.add(n)
    const [first] = await queue.claim()
    const pending = async () => ((await ground.redis.cli('XPENDING', `${ground.prefix}queue:jobs`, 'workers')) as unknown[])[0]
    expect(await pending()).toBe(1)
    await queue.acknowledge(first?.id ?? '')
    expect(await pending()).toBe(0)
    await queue.claim(2)
    await vi.waitUntil(async () => (await queue.drain()).length > 0 && (await queue.list()).length === 0, soon)
    expect(await pending()).toBe(0)
  })

  it('refuse while Redis is away, and add what has a name once although nobody knows whether it arrived (A8)', async () => {
    const [queue, hasty] = [createQueue<string>('jobs', { backend: await ground.process() }), createQueue<string>('jobs', { backend: await ground.process({ deadline: '100ms' }) })]
    await queue.add('before')
    ground.redis.pause()
    await expect(hasty.add('a', { idempotencyKey: 'k' })).rejects.toMatchObject({ code: 'TIERCEL_REDIS_TIMEOUT' })
    ground.redis.resume()
    await vi.waitUntil(() => hasty.add('a', { idempotencyKey: 'k' }).then(() => true, () => false), soon)
    expect(values(await queue.list())).toEqual(['before', 'a'])
    await ground.redis.kill()
    await expect(queue.add('b')).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await expect(queue.claim()).rejects.toMatchObject({ code: 'TIERCEL_REDIS_UNAVAILABLE' })
    await ground.redis.start()
    await vi.waitUntil(() => queue.add('c').then(() => true, () => false), soon)
    expect(values(await queue.drain())).toEqual(['c'])
  })
})
