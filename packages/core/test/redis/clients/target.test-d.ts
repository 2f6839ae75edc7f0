import { expectTypeOf, it } from 'vitest'
import type { createClient as createClient6, createCluster as createCluster6 } from 'redis'
import type { createClient as createClient5, createCluster as createCluster5 } from 'redis5'
import type { Cluster as Cluster6, Redis as Redis6 } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5 } from 'ioredis5'
import type { RedisTarget } from '../../../src/redis/clients/index.js'

it('takes clients and clusters of both packages, in both versions', () => {
  expectTypeOf<ReturnType<typeof createClient6>>().toExtend<RedisTarget>()
  expectTypeOf<ReturnType<typeof createClient5>>().toExtend<RedisTarget>()
  expectTypeOf<ReturnType<typeof createCluster6>>().toExtend<RedisTarget>()
  expectTypeOf<ReturnType<typeof createCluster5>>().toExtend<RedisTarget>()
  expectTypeOf<Redis6>().toExtend<RedisTarget>()
  expectTypeOf<Redis5>().toExtend<RedisTarget>()
  expectTypeOf<Cluster6>().toExtend<RedisTarget>()
  expectTypeOf<Cluster5>().toExtend<RedisTarget>()
})

it('refuses what does not exist', () => {
  // @ts-expect-error: an option that does not exist
  const target: RedisTarget = { hots: 'localhost' }
  expectTypeOf(target).toExtend<RedisTarget>()
})
