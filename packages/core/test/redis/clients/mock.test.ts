// @ts-expect-error: it has no types of its own
import MockRedis from 'ioredis-mock'
import { afterEach, expect, it } from 'vitest'
import { defineScript, type RedisTarget } from '../../../src/redis/clients/index.js'
import { closeAll, open } from './variants.js'

const Mock = MockRedis as new (options?: object) => RedisTarget

afterEach(closeAll)

const options = { route: '', timeoutMs: 20_000 }

it('takes an ioredis-mock, as tests of applications do', async () => {
  const { connection } = open(new Mock({ port: 7001 }))
  expect(await connection.send(['SET', 'a', Buffer.from([1, 0xff])], options)).toBe('OK')
  expect(await connection.send(['GET', 'a'], options)).toEqual(Buffer.from([1, 0xff]))
  expect(await connection.send(['MGET', 'a', 'b'], options)).toEqual([Buffer.from([1, 0xff]), null])
  expect(await connection.send(['INCR', 'n'], options)).toBe(1)
  expect(connection.isUp).toBe(true)
})

it('falls back to EVAL, which is all a mock has', async () => {
  const { connection } = open(new Mock({ port: 7002 }))
  const script = defineScript("redis.call('SET', KEYS[1], ARGV[1]) return {redis.call('GET', KEYS[1]), 1}")
  expect(await connection.run(script, ['k'], ['v'], 20_000)).toEqual([Buffer.from('v'), 1])
})

it('subscribes to what a mock publishes', async () => {
  const { connection } = open(new Mock({ port: 7003 }))
  const messages: string[] = []
  await connection.subscribe('news', { onMessage: (message) => messages.push(String(message)), onSubscribed() {}, onLost() {} })
  await connection.send(['PUBLISH', 'news', Buffer.from('hello')], options)
  await expect.poll(() => messages).toEqual(['hello'])
})

it('refuses a command that a mock does not have', async () => {
  const { connection } = open(new Mock({ port: 7004 }))
  await expect(connection.send(['NOSUCHTHING', 'a'], options)).rejects.toMatchObject({ code: 'TIERCEL_REDIS_REFUSED' })
})
