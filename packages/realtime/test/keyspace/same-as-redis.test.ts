import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import type { RedisLink } from '@tiercel/core/connection'
import { openLink } from '@tiercel/core/connection'
import { describeWithRedis, startRedis } from '../../../core/test/redis/server/index.js'
import type { Value } from '../../src/keyspace/keyspace.js'
import { LinkKeyspace } from '../../src/keyspace/link-keyspace.js'
import { MemoryKeyspace } from '../../src/keyspace/memory-keyspace.js'

const runs = process.env.TIERCEL_PROOF === '1' ? 5000 : 150

const key = fc.constantFrom('a', 'b', 'c')
const text = fc.constantFrom('x', 'y', 'z', '7', '-3', '', 'ü')
const index = fc.integer({ min: -4, max: 4 }).map(String)
const score = fc.constantFrom('1', '2', '2.5', '-1', '-inf', '+inf', '(2')
const some = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 4 })
const command = (name: string, ...parts: fc.Arbitrary<string | string[]>[]) => fc.tuple(...parts).map((args) => [name, ...args.flat()])
const fields = fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }).map((all) => all.flat())

const commands = fc.oneof(
  command('SET', key, text),
  command('SET', key, text, fc.constantFrom(['NX'], ['XX'], ['EX', '100'], ['PX', '50000', 'NX'], ['KEEPTTL'])),
  command('GET', key),
  command('INCR', key),
  command('DECR', key),
  command('INCRBY', key, fc.constantFrom('5', '-7', 'x', '99999999999999999999')),
  command('DEL', some(key)),
  command('UNLINK', some(key)),
  command('EXISTS', some(key)),
  command('EXPIRE', key, fc.constantFrom('100', '0', '-1', 'x')),
  command('PEXPIRE', key, fc.constantFrom('100000', '0')),
  command('PERSIST', key),
  command('TTL', key),
  command('HSET', key, fields),
  command('HGET', key, text),
  command('HGETALL', key),
  command('HDEL', key, some(text)),
  command('HEXISTS', key, text),
  command('HKEYS', key),
  command('HLEN', key),
  command('HINCRBY', key, text, fc.constantFrom('1', '-2', 'x')),
  command('RPUSH', key, some(text)),
  command('LPUSH', key, some(text)),
  command('LPOP', key),
  command('RPOP', key),
  command('LPOP', key, fc.constantFrom('1', '2')),
  command('RPOP', key, fc.constantFrom('1', '2')),
  command('LLEN', key),
  command('LRANGE', key, index, index),
  command('LTRIM', key, index, index),
  command('LREM', key, index, text),
  command('SADD', key, some(text)),
  command('SREM', key, some(text)),
  command('SMEMBERS', key),
  command('SISMEMBER', key, text),
  command('SCARD', key),
  command('ZADD', key, fc.array(fc.tuple(fc.constantFrom('1', '2', '2.5', '-1', 'x'), text), { minLength: 1, maxLength: 3 }).map((all) => all.flat())),
  command('ZADD', key, fc.constant('NX'), fc.constantFrom('1', '2'), text),
  command('ZREM', key, some(text)),
  command('ZSCORE', key, text),
  command('ZCARD', key),
  command('ZRANGE', key, index, index),
  command('ZRANGEBYSCORE', key, score, score),
  command('ZRANGEBYSCORE', key, score, score, fc.constant('LIMIT'), fc.constantFrom('0', '1'), fc.constantFrom('1', '2', '-1')),
  command('ZREMRANGEBYSCORE', key, score, score),
)

/** Redis promises no order for these, and memory has one. */
const UNORDERED = new Set(['SMEMBERS', 'HKEYS', 'HGETALL'])

async function outcome(name: string | undefined, execute: () => Value | Promise<Value>): Promise<unknown> {
  try {
    const value = await execute()
    if (!Array.isArray(value) || !UNORDERED.has(name ?? '')) return value
    if (name !== 'HGETALL') return value.toSorted()
    return Object.fromEntries(Array.from({ length: value.length / 2 }, (_, i) => [value[2 * i], value[2 * i + 1]]))
  } catch (error) {
    return (error as { reply?: string }).reply
  }
}

/** Redis may have been a moment later with it: times are those of the commands, and multiples of 5 s. */
function roundedUp(name: string | undefined, value: unknown): unknown {
  return name === 'TTL' && typeof value === 'number' && value > 0 ? Math.ceil(value / 5) * 5 : value
}

async function empty(link: RedisLink, memory: MemoryKeyspace): Promise<void> {
  await link.send(['FLUSHALL'], { route: '' })
  memory.clear()
}

describeWithRedis('the keys in memory', () => {
  it('give what Redis gives, whatever is done with them and in whatever order (B1)', async () => {
    const redis = await startRedis()
    const link = openLink(redis.url, { deadlineMs: 30_000 })
    const now = Date.now()
    const [there, here] = [new LinkKeyspace(link), new MemoryKeyspace({ now: () => now })]
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 40 }), async (all) => {
          await empty(link, here)
          const expected = await Promise.all(all.map(async (each) => roundedUp(each[0], await outcome(each[0], () => there.send(each)))))
          const given = []
          for (const each of all) given.push(await outcome(each[0], () => here.send(each)))
          expect(given.map((value, i) => [all[i], value])).toEqual(expected.map((value, i) => [all[i], value]))
        }),
        { numRuns: runs },
      )
    } finally {
      await link.close()
      await redis.stop()
    }
  })
})
