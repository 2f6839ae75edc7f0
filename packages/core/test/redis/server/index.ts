export { startCluster, startProxy, startRedis, type FaultProxy, type RedisCluster, type RedisServer } from '../../../src/testing/index.js'
export { useRedis, type SharedRedis } from './shared-redis.js'
export { describeWithRedis } from './with-redis.js'
