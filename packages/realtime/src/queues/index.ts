export { createQueue, type Queue, type QueueOptions } from './queue.js'
export type { QueueItem } from './key-queue.js'
