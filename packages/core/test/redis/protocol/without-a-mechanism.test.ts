import { expect, it } from 'vitest'
import type { Mechanisms } from '../../../src/coherence/index.js'
import { heldLoader } from '../../behaviour/held-loader.js'
import { describeWithRedis } from '../server/index.js'
import { useStage, type Process, type ProcessOptions, type Stage } from './stage/stage.js'

interface Schedule {
  readonly mechanism: keyof Mechanisms
  readonly of: string
  readonly right: unknown
  readonly wrong: unknown
  run(open: (options?: ProcessOptions) => Promise<Process>, stage: Stage): Promise<unknown>
}

const down = new Error('the database is down')

/** For each mechanism the shortest schedule between processes that needs it. */
const schedules: readonly Schedule[] = [
  {
    mechanism: 'fence',
    of: 'a load is kept that began before messages were missed',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load, { tags: ['t'] })
      const call = await load.called()
      a.link.messages.hold()
      await b.cache.invalidate({ tag: 't' })
      await b.cache.invalidate({ key: 'other' })
      a.link.messages.loseOne()
      a.link.messages.release()
      call.succeed('old')
      await loading
      await stage.settled()
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'fence',
    of: 'a load without Redis is kept though another process invalidated its key',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load, { redis: false })
      const call = await load.called()
      await b.cache.invalidate({ key: 'k' })
      call.succeed('old')
      await loading
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'detach',
    of: 'a call joins a load from before another process invalidated the key',
    right: 'new',
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      await b.cache.invalidate({ key: 'k' })
      const after = a.cache.getOrSet('k', () => 'new')
      call.succeed('old')
      await loading
      return after
    },
  },
  {
    mechanism: 'lateFence',
    of: 'a load is kept in Redis whose tag another process invalidated before the loader named it',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      await b.cache.invalidate({ tag: 't' })
      call.ctx.tags('t')
      call.succeed('old')
      await loading
      return b.cache.get('k')
    },
  },
  {
    mechanism: 'lateDetach',
    of: 'a call is served by a load that it joined after another process invalidated the tag that the loader then names',
    right: 'new',
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      await b.cache.invalidate({ tag: 't' })
      const after = a.cache.getOrSet('k', () => 'new')
      call.ctx.tags('t')
      call.succeed('old')
      await loading
      return after
    },
  },
  {
    mechanism: 'supersede',
    of: 'of two loads without Redis the one that began first and ended last is kept',
    right: 'new',
    wrong: 'old',
    async run(open) {
      const a = await open()
      const [first, last] = [heldLoader(), heldLoader()]
      const loadingFirst = a.cache.getOrSet('k', first, { redis: false, bypass: 'read' })
      const firstCall = await first.called()
      const loadingLast = a.cache.getOrSet('k', last, { redis: false, bypass: 'read' })
      const lastCall = await last.called()
      lastCall.succeed('new')
      await loadingLast
      firstCall.succeed('old')
      await loadingFirst
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'kill',
    of: 'a value from Redis serves as grace to a call that held it while another process invalidated its key',
    right: down,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open({ grace: '1h' }), await open({ grace: '1h' })]
      await b.cache.set('k', 'old')
      await b.cache.expire({ key: 'k' })
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load).catch((error: unknown) => error)
      const call = await load.called()
      await b.cache.invalidate({ key: 'k' })
      call.fail(down)
      return loading
    },
  },
  {
    mechanism: 'forgetAgain',
    of: 'a read brings back into memory what the sweep that it overtook had not reached',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const a = await open()
      await a.cache.set('k', 'old')
      const announced = a.link.holdReply('announce')
      const invalidating = a.cache.invalidate({ pattern: 'k*' })
      await announced.arrived
      const reading = a.cache.get('k')
      announced.release()
      await reading
      await invalidating
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'lease',
    of: 'a load is stored that began before another process invalidated its key',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      const load = heldLoader()
      const loading = a.cache.getOrSet('k', load)
      const call = await load.called()
      a.link.messages.hold()
      await b.cache.invalidate({ key: 'k' })
      call.succeed('old')
      await loading
      a.link.messages.release()
      return b.cache.get('k')
    },
  },
  {
    mechanism: 'tokens',
    of: 'a value whose tag was invalidated is served from Redis',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      await a.cache.set('k', 'old', { tags: ['t'] })
      await b.cache.invalidate({ tag: 't' })
      return b.cache.get('k')
    },
  },
  {
    mechanism: 'sequence',
    of: 'memory serves what a lost message was about though the next one arrived',
    right: undefined,
    wrong: 'old',
    async run(open) {
      const [a, b] = [await open(), await open()]
      await a.cache.set('k', 'old')
      a.link.messages.hold()
      await b.cache.invalidate({ key: 'k' })
      await b.cache.invalidate({ key: 'other' })
      a.link.messages.loseOne()
      a.link.messages.release()
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'gate',
    of: 'memory serves beyond maxStaleness though no message can reach the process any more',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const [a, b] = [await open({ maxStaleness: '5s' }), await open()]
      await a.cache.set('k', 'old')
      a.link.messages.isDeaf = true
      await b.cache.invalidate({ key: 'k' })
      stage.jump(5001)
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'hello',
    of: 'memory serves what was invalidated while the subscription was being made again',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const [a, b] = [await open(), await open()]
      await a.cache.set('k', 'old')
      a.link.loseSubscription()
      await b.cache.invalidate({ key: 'k' })
      a.link.resubscribe()
      await stage.settled()
      return a.cache.peek('k')
    },
  },
  {
    mechanism: 'journal',
    of: 'Redis serves what was invalidated while it could not be told',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const [a, b] = [await open(), await open()]
      await a.cache.set('k', 'old')
      a.link.cut()
      await a.cache.invalidate({ key: 'k' })
      a.link.mend()
      await stage.pass(100)
      return b.cache.get('k')
    },
  },
  {
    mechanism: 'run',
    of: 'Redis serves what was invalidated after the dump from which it was started again',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const a = await open()
      await a.cache.set('k', 'old')
      // A server that comes back from an older dump has the entry and the tokens of then, a run of its own, and no memory of what came after.
      await stage.redis.cli('COPY', stage.redisKey.entry('k'), 'dumped')
      await a.cache.invalidate({ key: 'k' })
      await stage.redis.cli('RENAME', 'dumped', stage.redisKey.entry('k'))
      await stage.redis.cli('SET', stage.redisKey.run(), 'the run before')
      const b = await open()
      return b.cache.get('k')
    },
  },
  {
    mechanism: 'secondSweep',
    of: 'a value is left that was stored behind a sweep by a load whose lease the sweep had not reached',
    right: undefined,
    wrong: 'old',
    async run(open, stage) {
      const [a, b] = [await open(), await open()]
      const key = await keyWhoseLeaseIsScannedAfterIt(stage)
      const load = heldLoader()
      const loading = a.cache.getOrSet(key, load)
      const call = await load.called()
      a.link.messages.hold()
      const firstPage = b.link.holdReply('SCAN')
      const invalidating = b.cache.invalidate({ pattern: 'k*' })
      await firstPage.arrived
      call.succeed('old')
      await loading
      firstPage.release()
      await invalidating
      a.link.messages.release()
      return b.cache.get(key)
    },
  },
]

/** Fills Redis, so that it takes several pages to scan, and looks for a key whose entry would be on an earlier page than its lease. */
async function keyWhoseLeaseIsScannedAfterIt({ redis, redisKey, drop }: Stage): Promise<string> {
  // Reading moves the hash table on to its new size, so that nothing moves any more while names are compared.
  const fill = "for i = 1, 3000 do redis.call('SET', 'filler' .. i, '') end for i = 1, 10000 do redis.call('EXISTS', 'filler' .. i) end"
  await redis.cli('EVAL', fill, 0)
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  const namesOf = (key: string) => [redisKey.entry(key), redisKey.lease(key)] as const
  for (const name of keys.flatMap(namesOf)) await redis.cli('SET', name, '')
  const inOrder: string[] = []
  let cursor = '0'
  do {
    const [next, names] = (await redis.cli('SCAN', cursor, 'COUNT', 1000)) as [string, string[]]
    inOrder.push(...names)
    cursor = next
  } while (cursor !== '0')
  await drop(...keys.flatMap(namesOf))
  const placeOf = (name: string) => inOrder.indexOf(name)
  // Well within a page of 1000: where one ends depends on how many other keys there are.
  const found = keys.find((key) => placeOf(redisKey.entry(key)) < 700 && placeOf(redisKey.lease(key)) > 1300)
  if (found === undefined) throw new Error('no key among fifty has its entry on the first page and its lease on a later one')
  return found
}

describeWithRedis('without a mechanism of the protocol', () => {
  const stage = useStage()

  it.for(schedules)('$mechanism: $of, and with it not', async ({ mechanism, right, wrong, run }) => {
    expect(await run((options) => stage.open({ ...options, without: [mechanism] }), stage)).toBe(wrong)
    await stage.leave()
    expect(await run((options) => stage.open(options), stage)).toBe(right)
  })
})

