import type { FaultProxy, ProxyConnection, RedisServer } from '@tiercel/core/testing'
import type { Random } from '../random.js'
import type { Worker } from '../workers.js'
import type { Fault } from './fault.js'

/** What can go wrong with one Redis, and with the way to it that each process has to itself. */
export function standaloneFaults(redis: RedisServer, proxies: readonly FaultProxy[], workers: readonly Worker[]): readonly Fault[] {
  let backup: Uint8Array | undefined
  const proxyFault = (name: string, begin: (proxy: FaultProxy, random: Random) => void): Fault => ({
    name,
    async begin(random) {
      const proxy = random.of(proxies)
      begin(proxy, random)
      return () => proxy.heal()
    },
  })
  const connectionFault = (name: string, isWanted: 'messages' | 'commands', begin: (connection: ProxyConnection) => void): Fault => ({
    name,
    async begin(random) {
      const subscribers = String(await redis.cli('CLIENT', 'LIST', 'TYPE', 'pubsub'))
      const all = random.of(proxies).connections.filter(({ addressAtServer }) => subscribers.includes(`addr=${addressAtServer} `) === (isWanted === 'messages'))
      if (all.length > 0) begin(random.of(all))
    },
  })
  return [
    { name: 'Redis crashes, and comes back empty', begin: async () => (await redis.kill(), () => redis.restart()) },
    { name: 'Redis restarts with all its data', begin: () => redis.restart('everything') },
    {
      name: 'Redis comes back with an old backup',
      async begin() {
        // Of the last time, or else a moment ago.
        const older = backup ?? (await redis.dump())
        backup = await redis.dump()
        await redis.restart(older)
      },
    },
    { name: 'Redis is stopped in its tracks', begin: async () => (redis.pause(), () => redis.resume()) },
    { name: 'Redis takes no commands for a while', begin: async (random) => void (await redis.cli('CLIENT', 'PAUSE', Math.round(random.between(200, 1500)), 'ALL')) },
    { name: 'Redis loses everything', begin: async () => void (await redis.cli('FLUSHALL')) },
    { name: 'Redis loses some of its keys', begin: (random) => loseSome(redis, random) },
    { name: 'Redis forgets the scripts', begin: async () => void (await redis.cli('SCRIPT', 'FLUSH')) },
    { name: 'Redis is full', begin: async () => (await redis.fillUp(), () => redis.drain()) },
    { name: 'Redis ends all subscriptions', begin: async () => void (await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')) },
    proxyFault('the connections of one process break', (proxy) => proxy.reset()),
    proxyFault('one process is cut off', (proxy) => {
      proxy.refuse()
      proxy.reset()
    }),
    proxyFault('one process is half-open', (proxy) => proxy.blackhole()),
    proxyFault('one process hears nothing', (proxy) => proxy.blackhole('down')),
    proxyFault('one process is not heard', (proxy) => proxy.blackhole('up')),
    proxyFault('the network of one process stands still', (proxy) => proxy.pause()),
    proxyFault('one process is far away', (proxy) => proxy.delay(60, { jitterMs: 40 })),
    proxyFault('one connection breaks in the middle of a reply', (proxy, random) => proxy.cut(random.below(5000))),
    proxyFault('a reply is lost', (proxy) => proxy.dropReply()),
    proxyFault('a reply never comes', (proxy) => proxy.dropReply({ after: 'silence' })),
    connectionFault('the connection for messages is half-open', 'messages', (connection) => connection.blackhole()),
    connectionFault('the connection for commands is half-open', 'commands', (connection) => connection.blackhole()),
    { name: 'one process is stopped in its tracks', begin: async (random) => pausing(random.of(workers)) },
  ]
}

/** Whatever the names are: entries, tokens, leases, the number of the last change. */
async function loseSome(redis: RedisServer, random: Random): Promise<void> {
  for (let i = random.below(8); i >= 0; i--) {
    const key = await redis.cli('RANDOMKEY')
    if (typeof key === 'string') await redis.cli('UNLINK', key)
  }
}

export function pausing(worker: Worker): () => void {
  worker.pause()
  return () => worker.resume()
}
