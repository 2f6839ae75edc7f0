export {
  defineScript,
  openConnection,
  type Argument,
  type ConnectionOptions,
  type MasterNode,
  type RedisConnection,
  type RedisOptions,
  type RedisTarget,
  type Reply,
  type Script,
  type Subscription,
  type SubscriptionHandlers,
} from './connection.js'
export { slotOf } from './slot.js'
