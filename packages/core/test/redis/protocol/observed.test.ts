import { expect, it } from 'vitest'
import { describeWithRedis } from '../server/index.js'
import { useStage } from './stage/stage.js'

describeWithRedis('what is told of coherence', () => {
  const stage = useStage()

  it('a message that was lost is counted as a gap, and the beginning of the stream is not', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    expect(a.cache.stats().redis?.gaps).toBe(0)
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    a.link.messages.loseOne()
    a.link.messages.release()
    await b.cache.invalidate({ key: 'k' })
    await stage.settled()
    expect(a.cache.stats().redis?.gaps).toBe(1)
  })

  it('a message that never comes is counted as a gap by the heartbeat', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    a.link.messages.isDeaf = true
    await b.cache.invalidate({ key: 'k' })
    await stage.pass(1000)
    await stage.pass(500)
    await stage.settled()
    expect(a.cache.stats().redis?.gaps).toBe(1)
  })

  it('an outage is counted once, however long it is', async () => {
    const a = await stage.open()
    a.link.cut()
    await a.cache.invalidate({ key: 'k' })
    await a.cache.invalidate({ key: 'l' })
    await stage.pass(1000)
    expect(a.cache.stats().redis?.outages).toBe(1)
    expect(a.cache.health().redis?.journal).toBe(2)
  })

  it('a confirmation takes until the changes before it have arrived', async () => {
    const [a, b] = [await stage.open(), await stage.open()]
    a.link.messages.hold()
    await b.cache.invalidate({ key: 'k' })
    await stage.pass(1000)
    await stage.pass(200)
    a.link.messages.release()
    await stage.settled()
    expect(a.cache.health().redis?.confirmationMs).toBeGreaterThanOrEqual(200)
  })
})
