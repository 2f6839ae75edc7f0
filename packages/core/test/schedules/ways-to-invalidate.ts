import type { Cache, CallOptions, LoadContext } from '../../src/index.js'

export interface Way {
  readonly by: string
  /** What a load must say for this way to reach it. */
  readonly labels?: CallOptions
  /** The same, said by the loader. */
  label?(ctx: LoadContext): void
  /** Whether it reaches every other key of the namespace too. */
  readonly reachesAll?: true
  invalidate(cache: Cache, above: Cache): Promise<unknown>
  expire?(cache: Cache, above: Cache): Promise<unknown>
}

/** Every way to invalidate the key `user:1` of a namespace. */
export const ways: readonly Way[] = [
  { by: 'key', invalidate: (cache) => cache.invalidate({ key: 'user:1' }), expire: (cache) => cache.expire({ key: 'user:1' }) },
  {
    by: 'keys',
    invalidate: (cache) => cache.invalidate({ keys: ['user:2', 'user:1'] }),
    expire: (cache) => cache.expire({ keys: ['user:2', 'user:1'] }),
  },
  { by: 'delete', invalidate: (cache) => cache.delete('user:1') },
  { by: 'deleteMany', invalidate: (cache) => cache.deleteMany(['user:2', 'user:1']) },
  {
    by: 'tag',
    labels: { tags: ['users', 'admins'] },
    label: (ctx) => ctx.tags('users', 'admins'),
    invalidate: (cache) => cache.invalidate({ tag: 'admins' }),
    expire: (cache) => cache.expire({ tag: 'admins' }),
  },
  {
    by: 'room',
    labels: { room: 'lobby' },
    label: (ctx) => ctx.room('lobby'),
    invalidate: (cache) => cache.invalidateRoom('lobby'),
    expire: (cache) => cache.expire({ room: 'lobby' }),
  },
  { by: 'pattern', invalidate: (cache) => cache.invalidatePattern('user:*'), expire: (cache) => cache.expire({ pattern: 'us?r:[0-9]' }) },
  { by: 'all', reachesAll: true, invalidate: (cache) => cache.invalidate({ all: true }), expire: (cache) => cache.expire({ all: true }) },
  {
    by: 'all of the namespace above',
    reachesAll: true,
    invalidate: (_, above) => above.invalidate({ all: true }),
    expire: (_, above) => above.expire({ all: true }),
  },
]

export const labelledWays = ways.filter((way) => way.label !== undefined)
export const expiringWays = ways.filter((way) => way.expire !== undefined)
