import { deserialize, serialize } from 'node:v8'
import { createCache, type Codec } from '@tiercel/core'
import { cacheResponses } from '@tiercel/express'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { describeWithRedis, startRedis, type RedisServer } from '../../../core/test/redis/server/index.js'
import { counting, type Counting } from './counting.js'
import { gate } from './gate.js'
import { serve, type Answer, type Site } from './site.js'
import { onBothVersions, type ExpressModule } from './versions.js'

async function openRedis(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

/** A process of its own, as far as the cache can tell: its memory is empty, and what it knows it has from Redis, however busy the machine is. */
async function openProcess(express: ExpressModule, redis: RedisServer, handler: Counting, codec?: Codec, deadline = 30_000, onAsked = (): void => {}): Promise<Omit<Site, 'cache'>> {
  const app = express()
  app.set('env', 'test')
  const cache = createCache({ redis: redis.url, ttl: '1m', codec, deadline })
  onTestFinished(() => cache.close())
  app.use((_req, _res, next) => {
    next()
    setImmediate(onAsked)
  })
  app.get(/.*/, cacheResponses({ cache, ttl: '1m' }), handler)
  await vi.waitUntil(() => cache.health().healthy, { timeout: 30_000 })
  return serve(app)
}

const entriesOf = async (redis: RedisServer): Promise<string[]> => ((await redis.cli('KEYS', '*:v')) as string[]).toSorted()

/** A codec that lets a test put its own words into what is read from Redis, behind every check of the cache itself. */
const tampering = (tamper: (value: unknown) => unknown): Codec => ({ id: 77, encode: serialize, decode: (bytes) => tamper(deserialize(bytes)) })

/** The frame of a response with other bytes. */
const inFrames = (change: (frame: Buffer) => Buffer) => (value: unknown): unknown => {
  if (!(value instanceof Uint8Array)) throw new TypeError('a response is kept as one frame')
  return change(Buffer.from(value))
}

const swap = (from: string, to: string) => (frame: Buffer): Buffer => Buffer.from(frame.toString('latin1').replaceAll(from, to), 'latin1')

describeWithRedis('what is in Redis', () => {
  onBothVersions((express) => {
    it('gives a page that another process has made', async () => {
      const redis = await openRedis()
      const page = counting((_req, res, run) => res.set('X-Mark', 'marked').send(`run ${run}`))
      const first = await openProcess(express, redis, page)
      expect((await first.get('/', { host: 'a' })).body).toBe('run 1')

      const second = await openProcess(express, redis, page)
      const answer = await second.get('/', { host: 'a' })
      expect([answer.body, answer.headers['x-mark']]).toEqual(['run 1', 'marked'])
      expect(page.runs).toBe(1)
    })

    it('shows at one address nothing that was moved there from another', async () => {
      const redis = await openRedis()
      const page = counting((req, res) => res.send(`at ${req.path}`))
      const first = await openProcess(express, redis, page)
      await first.get('/secret', { host: 'a' })
      const secret = await entriesOf(redis)
      await first.get('/public', { host: 'a' })
      const open = (await entriesOf(redis)).filter((key) => !secret.includes(key))
      for (const [i, key] of secret.entries()) {
        const target = open[i]
        if (target !== undefined) await redis.cli('RENAME', key, target)
      }

      const second = await openProcess(express, redis, page)
      expect((await second.get('/public', { host: 'a' })).body).toBe('at /public')
    })

    it('answers as the handler does when any byte of what is kept is another', async () => {
      const redis = await openRedis()
      const page = counting((_req, res) => res.set('X-Mark', 'marked').send('page'))
      await (await openProcess(express, redis, page)).get('/', { host: 'a' })
      const [key = ''] = await entriesOf(redis)
      const length = Number(await redis.cli('STRLEN', key))
      for (let at = 0; at < length; at += Math.max(1, Math.floor(length / 12))) {
        await redis.cli('SETRANGE', key, at, '\u0000')
        const damaged = await openProcess(express, redis, page)
        const answer = await damaged.get('/', { host: 'a' })
        expect([answer.status, answer.body, answer.headers['x-mark']]).toEqual([200, 'page', 'marked'])
      }
    })

    describe('and passes every check of the cache itself', () => {
      it('is what another process has kept, as long as nobody changed it', async () => {
        const redis = await openRedis()
        const page = counting()
        const frames: unknown[] = []
        await (await openProcess(express, redis, page, tampering((kept) => kept))).get('/', { host: 'a' })
        const other = await openProcess(express, redis, page, tampering((kept) => (frames.push(kept), kept)))

        expect((await other.get('/', { host: 'a' })).body).toBe('run 1')
        expect(frames).toEqual([expect.any(Uint8Array)])
      })

      const foreign: [string, unknown][] = [
        ['a text', 'hello'],
        ['a number', 7],
        ['null', null],
        ['a list', [1, 2, 3]],
        ['an object with a prototype of its own', JSON.parse('{"__proto__":{"status":200,"body":"evil"},"headers":{"__proto__":{"x":"evil"}}}')],
        ['no bytes', new Uint8Array()],
        ['other bytes', new Uint8Array(Buffer.from('evil'.repeat(100)))],
        ['zeros', new Uint8Array(1000)],
        ['ones', new Uint8Array(1000).fill(255)],
        ['a response as others would write it', { status: 200, statusCode: 200, headers: { 'set-cookie': 'evil=1' }, body: 'evil' }],
        ['methods in words', { toString: 'evil', valueOf: 1, length: -1 }],
      ]
      it.each(foreign)('answers as the handler does when it is %s', async (_name, value) => {
        const redis = await openRedis()
        const page = counting((_req, res) => res.send('page'))
        await (await openProcess(express, redis, page, tampering((kept) => kept))).get('/', { host: 'a' })

        const other = await openProcess(express, redis, page, tampering(() => value))
        const answer = await other.get('/', { host: 'a' })
        expect([answer.status, answer.body, answer.headers['set-cookie']]).toEqual([200, 'page', undefined])
        expect(({} as Record<string, unknown>).status).toBeUndefined()
      })

      const changes: [string, (frame: Buffer) => Buffer][] = [
        ['a header with a line break', swap('marked', 'x\r\n\r\n<')],
        ['a header with a null', swap('marked', 'mark\u0000d')],
        ['a name with a space', swap('x-mark', 'x mark')],
        ['a name with a space, as it was written', swap('X-Mark', 'X Mark')],
        ['a name that is a line of its own', swap('x-mark', 'x:\r\nmk')],
        ['a version of the future', (frame) => Buffer.concat([Buffer.from([frame[0] ?? 0, 255]), frame.subarray(2)])],
        ['another first byte', (frame) => Buffer.concat([Buffer.from([(frame[0] ?? 0) ^ 255]), frame.subarray(1)])],
        ['half of it', (frame) => frame.subarray(0, frame.length >> 1)],
      ]
      const lengths: [string, (frame: Buffer) => Buffer][] = [
        ['one byte less', (frame) => frame.subarray(0, -1)],
        ['one byte more', (frame) => Buffer.concat([frame, Buffer.from('x')])],
        ['twice of it', (frame) => Buffer.concat([frame, frame])],
      ]
      /** What a process answers, twice, when others have changed what it finds. */
      const answersAfter = async (change: (frame: Buffer) => Buffer, page: Counting): Promise<[Answer, Answer]> => {
        const redis = await openRedis()
        await (await openProcess(express, redis, page, tampering((kept) => kept))).get('/', { host: 'a' })
        const other = await openProcess(express, redis, page, tampering(inFrames(change)))
        return [await other.get('/', { host: 'a' }), await other.get('/', { host: 'a' })]
      }
      const essence = ({ status, body, complete, headers }: Answer): unknown => [status, body, complete, headers['x-mark']]
      const asKept = [200, 'page', true, 'marked']
      const marked = (): Counting => counting((_req, res) => res.set('X-Mark', 'marked').send('page'))

      it('shows at one address nothing that was copied there from another', async () => {
        const redis = await openRedis()
        const page = counting((req, res) => res.send(`at ${req.path}`))
        let secret = Buffer.alloc(0)
        const first = await openProcess(express, redis, page, tampering((kept) => kept))
        for (const path of ['/secret', '/public']) await first.get(path, { host: 'a' })
        const spy = await openProcess(express, redis, page, tampering((kept) => (secret = Buffer.from(kept as Buffer))))
        expect((await spy.get('/secret', { host: 'a' })).body).toBe('at /secret')

        const other = await openProcess(express, redis, page, tampering(() => Buffer.from(secret)))
        expect((await other.get('/public', { host: 'a' })).body).toBe('at /public')
      })

      it.each(changes)('answers as the handler does, or with what was kept, when there is %s', async (_name, change) => {
        const answers = await answersAfter(change, marked())
        expect(answers.map(essence)).toEqual([asKept, asKept])
      })

      it.each(lengths)('answers as the handler does, or with what was kept, when there is %s', async (_name, change) => {
        const answers = await answersAfter(change, marked())
        expect(answers.map(essence)).toEqual([asKept, asKept])
      })

      /** A page with a header that is as long as this one, which then takes its place. */
      const answerWith = async (name: string, value: string): Promise<Answer> => {
        const [filler, filling] = [`x-${'m'.repeat(name.length - 2)}`, 'v'.repeat(value.length)]
        const forge = (frame: Buffer): Buffer => swap(filling, value)(swap(filler, name)(frame))
        const [answer] = await answersAfter(forge, counting((_req, res) => res.set(filler, filling).send('page')))
        return answer
      }

      it.each([
        ['transfer-encoding', 'chunked, chunked'],
        ['content-length', '99999'],
        ['connection', 'x-other'],
        ['Transfer-Encoding', 'chunked, chunked'],
      ])('lets no %s into an answer that was written there by somebody else', async (name, value) => {
        const answer = await answerWith(name, value)
        expect([answer.status, answer.body, answer.complete]).toEqual([200, 'page', true])
        expect(answer.rawHeaders).not.toContain(value)
      })

      it.each(['set-cookie', 'Set-Cookie'])('lets no %s into an answer that was written there by somebody else', async (name) => {
        expect((await answerWith(name, 'evil=1')).headers['set-cookie']).toBeUndefined()
      })
    })

    it('answers while Redis does not, and keeps nobody waiting for longer than the deadline', async () => {
      const redis = await openRedis()
      const page = counting()
      let asked = gate()
      const site = await openProcess(express, redis, page, undefined, 250, () => asked.open())
      await site.get('/a', { host: 'a' })
      asked = gate()
      redis.pause()
      onTestFinished(() => redis.resume())
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
      onTestFinished(() => void vi.useRealTimers())
      const answer = site.get('/b', { host: 'a' })
      await asked.opened
      vi.advanceTimersByTime(250)

      expect((await answer).status).toBe(200)
    })
  })
})
