import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { startRedis } from '../../../core/test/redis/server/index.js'
import { createDenylist, type TokenDenylist } from '../../src/denylist/index.js'
import { describeOnRedis, soon } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const exp = Math.floor(Date.now() / 1000) + 3600
const RESTARTS = process.env.TIERCEL_PROOF === '1' ? 20 : 3
const EACH = 20

describeOnRedis('a denylist, when Redis is away', (ground) => {
  const start = useOwnProcesses()

  it('lets no token through that it cannot check, and sends what was revoked when Redis is back (B6)', async () => {
    const redis = await startRedis()
    try {
      const open = async (): Promise<TokenDenylist> => {
        const backend = await ground.process({ redis: ground.target(redis.url), deadline: '2s', connectTimeout: '1s' })
        await vi.waitUntil(() => backend.link?.state === 'up', soon)
        return createDenylist({ backend })
      }
      const [one, other] = [await open(), await open()]
      await redis.pause()
      expect(await one.revoke({ jti: '1', exp })).toEqual({ durable: false })
      expect([await one.check({ jti: '1' }), await one.check({ jti: '2' }), await other.check({ jti: '1' })]).toEqual(['revoked', 'unknown', 'unknown'])
      expect([await one.isRevoked({ jti: '2' }), await other.isRevoked({ jti: '1' })]).toEqual([true, true])
      await vi.waitUntil(async () => {
        await other.check('any')
        await one.check('any')
        return !one.health().healthy && !other.health().healthy
      }, soon)
      expect(one.health().pending).toBe(1)
      await redis.resume()
      await vi.waitUntil(() => one.stats().sentLater === 1, soon)
      await vi.waitUntil(() => other.health().healthy, soon)
      // Who has not answered within the deadline is asked again.
      const known = (jti: string) =>
        vi.waitUntil(async () => {
          const verdict = await other.check({ jti })
          return verdict !== 'unknown' && verdict
        }, soon)
      expect([await known('1'), await known('2'), one.stats().pending]).toEqual(['revoked', 'not-revoked', 0])
    } finally {
      await redis.stop()
    }
  })

  it('that is full, sends what was revoked when there is room again', async () => {
    const redis = await startRedis()
    try {
      const backend = await ground.process({ redis: ground.target(redis.url) })
      await vi.waitUntil(() => backend.link?.state === 'up', soon)
      const denylist = createDenylist({ backend })
      await redis.fillUp()
      expect(await denylist.revoke({ jti: '1', exp })).toEqual({ durable: false })
      expect(await denylist.check({ jti: '1' })).toBe('revoked')
      await redis.drain()
      await vi.waitUntil(() => denylist.stats().pending === 0, soon)
      expect(await denylist.check({ jti: '1' })).toBe('revoked')
    } finally {
      await redis.stop()
    }
  })

  it(`forgets no revocation over ${RESTARTS} restarts of the application with Redis away and back (B6)`, async () => {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const journal = await mkdtemp(join(tmpdir(), 'tiercel-denylist-'))
    const application = `
      const denylist = realtime.createDenylist({ redis: process.env.URL, prefix: process.env.PREFIX, journal: process.env.JOURNAL, deadline: '300ms' })
      for (;;) {
        const [from, to] = JSON.parse(await told())
        let durable = 0
        for (let n = from; n < to; n++) {
          if ((await denylist.revoke({ jti: 'token ' + n, exp: ${exp} })).durable) durable++
        }
        // Those that were revoked before it was started too, and without Redis.
        const known = (await Promise.all(Array.from({ length: to }, (_, n) => denylist.check({ jti: 'token ' + n })))).filter((verdict) => verdict === 'revoked').length
        say(JSON.stringify({ durable, known }))
      }`
    const env = { URL: redis.url, PREFIX: ground.prefix, JOURNAL: journal }
    try {
      let next = 0
      const revoked: { durable: number; known: number }[] = []
      for (let restart = 0; restart < RESTARTS; restart++) {
        await redis.kill()
        // Two processes with one folder; both are killed while Redis is away.
        const both = [start(application, env), start(application, env)]
        for (const own of both) {
          own.tell(JSON.stringify([next, (next += EACH)]))
          revoked.push(JSON.parse(await own.line()) as { durable: number; known: number })
        }
        for (const own of both) {
          own.signal('SIGKILL')
          await own.ended
        }
        // Every second time the next application finds Redis away as well.
        if (restart % 2 === 1) continue
        await redis.start()
        const after = start(application, env)
        await vi.waitUntil(async () => (await readdir(journal)).length === 0, { timeout: 60_000, interval: 20 })
        after.signal('SIGKILL')
        await after.ended
      }
      if ((await readdir(journal)).length > 0) {
        await redis.start()
        start(application, env)
        await vi.waitUntil(async () => (await readdir(journal)).length === 0, { timeout: 60_000, interval: 20 })
      }
      expect(revoked.map(({ durable }) => durable)).toEqual(revoked.map(() => 0))
      const peer = createDenylist({ backend: await ground.process({ redis: ground.target(redis.url) }) })
      const verdicts = await Promise.all(Array.from({ length: next }, (_, n) => peer.check({ jti: `token ${n}` })))
      process.stdout.write(`denylist: ${next} revoked while Redis was away, by processes that were killed before it was back: ${verdicts.filter((verdict) => verdict !== 'revoked').length} forgotten\n`)
      expect(verdicts.filter((verdict) => verdict !== 'revoked')).toEqual([])
      expect(revoked[0]?.known).toBe(EACH)
    } finally {
      await redis.stop()
      await rm(journal, { recursive: true, force: true })
    }
  }, 300_000)
})
