export { createSubscriber, getPubSub } from './get-pub-sub.js'
export { PubSub, type ChannelListener, type MessageOrigin } from './pub-sub.js'
export type { Subscriber } from './subscriber.js'
