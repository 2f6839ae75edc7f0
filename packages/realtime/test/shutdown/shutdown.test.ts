import { expect, it } from 'vitest'
import { describeEverywhere, type RedisGround } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

describeEverywhere('a shutdown', (ground) => {
  const start = useOwnProcesses()
  const env = () => ({ REDIS_URL: ground.hasRedis ? (ground as RedisGround).redis.url : '', REDIS_PREFIX: ground.prefix, REDIS_COMMAND_TIMEOUT: '30000' })
  /** Uses all there is, so that all of it is open. */
  const busy = `
    import { createServer } from 'node:http'
    const server = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const kept = await fetch('http://127.0.0.1:' + server.address().port)
    await kept.text()
    const storage = realtime.createStorage()
    await storage.onEvent(() => {})
    await storage.addEvent('s', 1)
    await realtime.getPubSub().subscribePattern('*', () => {})
    await realtime.redisService.set('k', 'v')
    await realtime.redisSessionStore.createSession('s', {})
    await realtime.setPresence('ada', 'socket', 'lobby')
    const manager = realtime.getStorageManager()
    await manager.initialize()
    await manager.getStorage().createSession('s', {})
    const queue = realtime.createQueue('jobs')
    await queue.add(1)
  `

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`at ${signal} closes subscriptions, connections and timers, and the process exits by itself (A7)`, async () => {
      const own = start(`${busy}
        const closed = []
        realtime.closeOnSignals([server, () => closed.push('first'), { close: async () => closed.push('second') }], { timeout: '1m', onError: (error) => say(String(error)) })
        process.on('exit', () => say(closed.join()))
        say('ready')`, env())
      expect(await own.line()).toBe('ready')
      own.signal(signal)
      expect(await own.line()).toBe('first,second')
      expect(await own.ended).toBe(0)
      expect(await ground.cli('HGETALL', `${ground.prefix}presence`), 'who is online').toEqual([])
    })
  }

  it('installs nothing unasked: without the call a signal ends the process as ever (A7)', async () => {
    const own = start(`${busy} say('ready')`, env())
    expect(await own.line()).toBe('ready')
    own.signal('SIGTERM')
    expect(await own.ended).toBe('SIGTERM')
  })

  it('goes on when something cannot be closed, and ends by the signal when something never is', async () => {
    const own = start(`${busy}
      realtime.closeOnSignals([() => { throw new Error('broken') }, server, () => new Promise(() => {})], { timeout: '300ms', onError: (error) => say(error.message) })
      setInterval(() => {}, 1000)
      say('ready')`, env())
    expect(await own.line()).toBe('ready')
    own.signal('SIGTERM')
    expect(await own.line()).toBe('broken')
    expect(await own.line()).toBe('Not everything was closed within 300 ms')
    expect(await own.ended).toBe('SIGTERM')
  })

  it('can be asked for without a signal, and be cancelled', async () => {
    const own = start(`${busy}
      const cancelled = realtime.closeOnSignals([() => say('never')])
      cancelled.cancel()
      const shutdown = realtime.closeOnSignals([server, () => say('closed')], { timeout: '1m' })
      say(String(process.listenerCount('SIGTERM')))
      await shutdown.close()
      await shutdown.done
      say(String(process.listenerCount('SIGTERM')))`, env())
    expect([await own.line(), await own.line(), await own.line()]).toEqual(['1', 'closed', '0'])
    expect(await own.ended).toBe(0)
  })
})
