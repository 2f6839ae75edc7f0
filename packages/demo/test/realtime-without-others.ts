import { createBackend as create, type Backend, type BackendOptions } from '../../realtime/src/index.js'

export * from '../../realtime/src/index.js'

/** Each process has keys and channels of its own. */
export function createBackend(options: BackendOptions): Backend {
  return create({ ...options, prefix: `${options.prefix}${process.pid}:` })
}
