import { type BackendChoice, chooseBackend } from '../backend/choice.js'
import type { PubSub } from './pub-sub.js'

/**
 * The channels of a backend; without one, of the process, by its environment. They end with the backend.
 *
 * @example
 * const pubSub = getPubSub()
 * await pubSub.subscribe('news', (data, channel, { serverId }) => console.log(channel, data, 'from', serverId))
 * await pubSub.publish('news', { title: 'It works' })
 */
export function getPubSub({ backend }: Pick<BackendChoice, 'backend'> = {}): PubSub {
  return chooseBackend(backend === undefined ? {} : { backend }).backend.pubSub
}

/** A set of subscriptions that end together, on the channels of the process. */
export function createSubscriber() {
  return getPubSub().createSubscriber()
}
