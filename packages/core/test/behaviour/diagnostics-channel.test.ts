import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, expect, it } from 'vitest'
import { describeCaches } from './harness.js'

const down = () => Promise.reject(new Error('down'))

describeCaches('node:diagnostics_channel', ({ make, pass }) => {
  const ended: (() => void)[] = []
  afterEach(() => ended.splice(0).forEach((end) => end()))

  function published(channel: string): unknown[] {
    const messages: unknown[] = []
    const onMessage = (message: unknown) => void messages.push(message)
    subscribe(channel, onMessage)
    ended.push(() => unsubscribe(channel, onMessage))
    return messages
  }

  it('carries every event under its name, without anybody having called on', async () => {
    const names = ['hit', 'miss', 'load', 'set', 'invalidate', 'stale', 'error', 'state'] as const
    const messages = Object.fromEntries(names.map((name) => [name, published(`tiercel:${name}`)]))
    const cache = make({ name: 'app', ttl: '1s', grace: '1h' })
    await cache.getOrSet('k', () => 'v')
    await cache.getOrSet('k', () => 'v')
    await pass(1000)
    await cache.getOrSet('k', down)
    await cache.invalidate({ tag: 't' })
    await cache.close()
    // With Redis there are states before the last one.
    expect({ ...messages, state: messages.state?.slice(-1) }).toMatchObject({
      hit: [{ namespace: 'app', key: 'k' }],
      miss: [{ namespace: 'app', key: 'k' }, { namespace: 'app', key: 'k' }],
      load: [{ namespace: 'app', key: 'k', stored: true }],
      set: [{ namespace: 'app', key: 'k', ttlMs: 1000 }],
      invalidate: [{ namespace: 'app', kind: 'tag', target: 't' }],
      stale: [{ namespace: 'app', key: 'k', reason: 'load-failed' }],
      error: [{ namespace: 'app', key: 'k', during: 'load' }],
      state: [{ namespace: 'app', closed: true }],
    })
  })

  it('carries the events of all caches and namespaces, told apart by their namespace', async () => {
    const sets = published('tiercel:set')
    await make({ name: 'one' }).set('k', 1)
    await make({ name: 'two' }).namespace('users').set('k', 1)
    expect(sets).toMatchObject([{ namespace: 'one' }, { namespace: 'two:users' }])
  })

  it('is silent once nobody subscribes any more', async () => {
    const cache = make()
    const sets = published('tiercel:set')
    ended.splice(0).forEach((end) => end())
    await cache.set('k', 1)
    expect(sets).toEqual([])
  })
})
