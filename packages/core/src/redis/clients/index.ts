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
export { slotOf } from './slot.js'
