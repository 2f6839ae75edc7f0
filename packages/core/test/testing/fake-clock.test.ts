import { setTimeout as importedTimeout } from 'node:timers'
import { setInterval as pauses, setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createCache } from '../../src/index.js'
import { startFakeClock, startRedis, type FakeClock, type FakeClockOptions } from '../../src/testing/index.js'
import { describeWithRedis } from '../redis/server/index.js'
import { builtTesting, runProgram } from './built.js'
import { rawClients } from './raw-clients.js'

let clock: FakeClock | undefined

function start(options?: FakeClockOptions): FakeClock {
  clock = startFakeClock(options)
  return clock
}

afterEach(() => {
  clock?.stop()
})

describe('a fake clock', () => {
  it('takes a cache through its times, to the millisecond', async () => {
    const time = start()
    const cache = createCache({ redis: false, ttl: '5m', grace: '1h' })
    let loads = 0
    const load = () => ++loads
    expect(await cache.getOrSet('k', load)).toBe(1)
    await time.advance(299_999)
    expect(await cache.getOrSet('k', load)).toBe(1)
    await time.advance(1)
    expect(await cache.getOrSet('k', load)).toBe(2)
    await time.advance('30m')
    expect(await cache.getOrSet('k', () => Promise.reject(new Error('down')))).toBe(2)
    await time.advance('1h')
    await expect(cache.getOrSet('k', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    const slow = cache.getOrSet('slow', () => pause(2000, 'late'), { hardTimeout: '1s' }).catch((error: { code: string }) => error.code)
    await time.advance('1s')
    expect(await slow).toBe('TIERCEL_LOAD_TIMEOUT')
    await cache.close()
  })

  it('stands still but for what it is advanced by', async () => {
    const time = start({ date: Date.UTC(2030, 0, 1) })
    const before = [performance.now(), Date.now()]
    expect(before.every(Number.isInteger)).toBe(true)
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect([performance.now(), Date.now()]).toEqual(before)
    await time.advance('1.5s')
    expect([performance.now(), Date.now()]).toEqual(before.map((each) => each + 1500))
    expect(new Date().toISOString()).toBe('2030-01-01T00:00:01.500Z')
  })

  it('lets each timer fire at its own time, in order, and what it sets off come first', async () => {
    const time = start()
    const log: string[] = []
    const began = performance.now()
    const note = (what: string) => log.push(`${what} ${performance.now() - began}`)
    setTimeout(note, 20, 'b')
    setTimeout(note, 10, 'a')
    setTimeout(note, 20, 'c')
    setTimeout(() => {
      void Promise.resolve().then(() => setTimeout(note, 3, 'nested'))
    }, 10)
    setTimeout(note, 0, 'at least 1')
    const interval = setInterval(() => note('tick'), 15)
    await time.advance(45)
    clearInterval(interval)
    await time.advance(100)
    expect(log).toEqual(['at least 1 1', 'a 10', 'nested 13', 'tick 15', 'b 20', 'c 20', 'tick 30', 'tick 45'])
    expect(time.timers).toBe(0)
  })

  it('gives timers that can all that real ones can', async () => {
    const time = start()
    const log: string[] = []
    const timer = setTimeout(() => log.push('refreshed'), 10)
    await time.advance(9)
    timer.refresh()
    await time.advance(9)
    expect(log).toEqual([])
    await time.advance(1)
    expect(log).toEqual(['refreshed'])
    expect([timer.hasRef(), timer.unref().hasRef(), timer.ref().hasRef()]).toEqual([true, false, true])
    for (const clear of [clearTimeout, clearInterval]) {
      clear(setTimeout(() => log.push('cleared'), 5))
      clear(Number(setTimeout(() => log.push('cleared by number'), 5)))
      clear(String(Number(setTimeout(() => log.push('cleared by text'), 5))))
      clear(undefined)
    }
    setTimeout(() => log.push('closed'), 5).close()
    await time.advance(20)
    expect(log).toEqual(['refreshed'])
    expect(() => setTimeout(undefined as unknown as () => void, 1)).toThrow(TypeError)
  })

  it('holds for what is imported from Node’s modules', async () => {
    const time = start()
    const log: string[] = []
    importedTimeout(() => log.push('node:timers'), 10)
    void pause(20, 'node:timers/promises').then((text) => log.push(text))
    void promisify(setTimeout)(30, 'promisified').then((text) => log.push(String(text)))
    void (async () => {
      for await (const text of pauses(40, 'interval')) log.push(text)
    })()
    await time.advance(40)
    expect(log).toEqual(['node:timers', 'node:timers/promises', 'promisified', 'interval'])
    const controller = new AbortController()
    const aborted = pause(10, undefined, { signal: controller.signal })
    controller.abort('why')
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', code: 'ABORT_ERR', cause: 'why' })
    await expect(pause(10, undefined, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('changes the time of day alone when it is told so', async () => {
    const time = start()
    const before = performance.now()
    const early = new Date(0)
    time.setDate(Date.UTC(2040, 0, 1))
    await time.advance(5)
    expect(new Date().getTime()).toBe(Date.UTC(2040, 0, 1) + 5)
    expect(performance.now()).toBe(before + 5)
    expect(early instanceof Date && new Date() instanceof Date && Object.prototype.toString.call(new Date()) === '[object Date]').toBe(true)
    expect([new Date(2020, 1, 2).getMonth(), Date.parse('2020-01-01T00:00:00Z'), typeof Date()]).toEqual([1, Date.UTC(2020, 0, 1), 'string'])
  })

  it('gives everything back, and lets what was waiting go on by real time', async () => {
    const read = () => [setTimeout, clearTimeout, setInterval, clearInterval, Date, pause, importedTimeout, Object.hasOwn(performance, 'now')]
    const before = read()
    const time = start()
    expect(read().filter((each, index) => each === before[index])).toEqual([])
    let fired = 0
    const waiting = new Promise<void>((resolve) => {
      setTimeout(resolve, 25)
    })
    const cleared = setTimeout(() => fired++, 20)
    const ticks = new Promise<void>((resolve) => {
      let count = 0
      const interval = setInterval(() => {
        if (++count < 3) return
        clearInterval(interval)
        resolve()
      }, 10)
    })
    await time.advance(5)
    time.stop()
    clearTimeout(cleared)
    await Promise.all([waiting, ticks])
    expect(fired).toBe(0)
    expect(read()).toEqual(before)
    time.stop()
    await time.advance(5)
  })

  it('is the only one', () => {
    start()
    expect(() => startFakeClock()).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_ARGUMENT' }))
    clock?.stop()
    start()
  })

  it('ends with its scope', () => {
    const real = Date
    {
      using time = startFakeClock()
      expect(time.timers).toBe(0)
      expect(Date).not.toBe(real)
    }
    expect(Date).toBe(real)
  })

  it('refuses to go back', async () => {
    await expect(async () => start().advance(-1)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_OPTION' })
  })
})

describeWithRedis('a fake clock beside a real Redis', () => {
  it.each(rawClients)('leaves the connections of $name alone', async ({ connect }) => {
    const redis = await startRedis()
    start()
    const client = await connect(redis.url)
    expect(await client.send('PING')).toBe('PONG')
    client.close()
    await redis.stop()
  })

  it('that goes on by itself leaves deadlines as they are', async () => {
    const redis = await startRedis()
    start({ running: true })
    const cache = createCache({ redis: redis.url, deadline: '300ms' })
    await cache.ready()
    redis.pause()
    // It would wait for ever if that time stood still.
    expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded')
    redis.resume()
    await cache.close()
    await redis.stop()
  })
})

describe('the process of a fake clock', () => {
  let built: string
  beforeAll(async () => {
    built = await builtTesting()
  })

  it('ends although a timer waits for a time that does not come', async () => {
    const program = runProgram(built, `
      testing.startFakeClock()
      setTimeout(() => console.log('never'), 10)
      console.log('waiting')`)
    expect(await program.line()).toBe('waiting')
    expect(await program.ended).toBe(0)
    expect(await program.line()).toBe('undefined')
  })

  it('waits for a timer of a clock that goes on by itself, and not for one that was unrefed', async () => {
    const program = runProgram(built, `
      testing.startFakeClock({ running: true })
      setTimeout(() => console.log('fired'), 30)
      setTimeout(() => console.log('never'), 60_000).unref()`)
    expect(await program.line()).toBe('fired')
    expect(await program.ended).toBe(0)
  })

  it('hears of what a timer throws as it does of what a real one throws', async () => {
    const program = runProgram(built, `
      process.on('uncaughtException', ({ message }) => console.log(message))
      const clock = testing.startFakeClock()
      setTimeout(() => { throw new Error('thrown') }, 10)
      setTimeout(() => console.log('next'), 20)
      await clock.advance(20)`)
    expect([await program.line(), await program.line()]).toEqual(['thrown', 'next'])
    expect(await program.ended).toBe(0)
  })
})
