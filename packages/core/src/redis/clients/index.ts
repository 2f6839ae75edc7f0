export {
  defineScript,
  openConnection,
  type MasterNode,
  type RedisConnection,
  type RedisOptions,
  type RedisTarget,
  type Reply,
  type Subscription,
  type SubscriptionHandlers,
} from './connection.js'
export type { Argument } from './reply.js'
export type { Script } from './script.js'
export { slotOf } from './slot.js'
