import { expect, it } from 'vitest'
import { describeOnRedis } from '../ground/ground.js'
import { type Own, useOwnProcesses } from '../ground/own-process.js'

const isProof = process.env.TIERCEL_PROOF === '1'
const ACQUISITIONS = isProof ? 10_000 : 1000
const PROCESSES = 4
const LOOPS = 4
const TTL_MS = 300

/**
 * What the lock is for: a number that is read, and written a little later. It takes nothing from who has a lower fence than it has seen, and lets the number grow no further
 * than the test says.
 */
const resource = `
const REGISTER = \`
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
if tonumber(ARGV[1]) < last then return -1 end
redis.call('SET', KEYS[1], ARGV[1])
local number = tonumber(redis.call('GET', KEYS[2]) or 0)
if number == tonumber(redis.call('GET', KEYS[4])) then return -2 end
return number\`
const WRITE = \`
if tonumber(ARGV[1]) < tonumber(redis.call('GET', KEYS[1])) then return -1 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('RPUSH', KEYS[3], ARGV[1])
return 1\``

/** Takes the lock again and again, and works on the resource under it. Writes "violation" when it is refused there and is told at the same time that it holds the lock. */
const worker = `${resource}
import { createClient } from 'redis'
const client = createClient({ url: process.env.URL })
client.on('error', () => {})
await client.connect()
const keys = ['seen', 'number', 'log', 'upTo'].map((name) => process.env.PREFIX + name)
const ask = (script, ...args) => client.eval(script, { keys, arguments: args.map(String) })
const backend = realtime.createBackend({ redis: process.env.URL, prefix: process.env.PREFIX, deadline: '30s' })
await backend.ready()
const locks = realtime.createLocks({ backend, ttl: ${TTL_MS}, wait: '10m' })
let refused = 0
const refusal = (lock) => {
  refused++
  if (lock.isHeld) say('violation')
}
const loop = async () => {
  for (;;) {
    const lock = await locks.acquire('resource')
    const number = await ask(REGISTER, lock.fence)
    if (number === -2) await new Promise((resolve) => setTimeout(resolve, 2))
    else if (number < 0) refusal(lock)
    else if (number >= ${ACQUISITIONS}) return await lock.release()
    else {
      if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      if ((await ask(WRITE, lock.fence, number + 1)) < 0) refusal(lock)
    }
    await lock.release()
  }
}
await Promise.all(Array.from({ length: ${LOOPS} }, loop))
say('done ' + JSON.stringify({ refused, ...locks.stats() }))
client.destroy()
await backend.close()`

describeOnRedis('a contended lock', (ground) => {
  const start = useOwnProcesses()

  it(`is never held twice over ${ACQUISITIONS} acquisitions of ${PROCESSES} processes that are killed and paused (D7)`, async () => {
    const env = { URL: ground.redis.url, PREFIX: ground.prefix }
    const ended: Promise<void>[] = []
    const violations: string[] = []
    const counts = { killed: 0, paused: 0, refused: 0, lost: 0 }
    const listen = async (own: Own): Promise<void> => {
      for (;;) {
        const line = await own.line().catch(() => 'killed')
        if (line === 'killed') return
        if (line.startsWith('done ')) {
          const { refused, lost } = JSON.parse(line.slice(5)) as { refused: number; lost: number }
          counts.refused += refused
          counts.lost += lost
          return
        }
        violations.push(line)
      }
    }
    const begin = () => {
      const own = start(worker, env)
      ended.push(listen(own))
      return own
    }
    // Every so many acquisitions something happens to one of them, in turn. The others get no further than to the next time.
    const step = ACQUISITIONS / (isProof ? 50 : 8)
    const allow = (upTo: number) => ground.cli('SET', `${ground.prefix}upTo`, upTo < ACQUISITIONS ? upTo : ACQUISITIONS + 1)
    await allow(2 * step)
    const workers = Array.from({ length: PROCESSES }, begin)
    const written = async () => Number((await ground.cli('GET', `${ground.prefix}number`)) ?? 0)
    for (let n = 0; (n + 1) * step < ACQUISITIONS; n++) {
      while ((await written()) < (n + 1) * step) await sleep(5)
      const at = n % PROCESSES
      if (n % 2 === 0) {
        workers[at]?.signal('SIGSTOP')
        counts.paused++
        // Somebody else has to have it meanwhile, should it be the holder that was stopped.
        await sleep(TTL_MS * 1.5)
        workers[at]?.signal('SIGCONT')
      } else {
        workers[at]?.signal('SIGKILL')
        counts.killed++
        workers[at] = begin()
      }
      await allow((n + 3) * step)
    }
    await Promise.all(ended)
    const log = ((await ground.cli('LRANGE', `${ground.prefix}log`, 0, -1)) as string[]).map(Number)
    process.stdout.write(`lock: ${log.length} acquisitions wrote, each with a fence of its own; ${counts.killed} processes killed, ${counts.paused} paused; ${counts.lost} locks lost, ${counts.refused} writes refused by the fence\n`)
    expect(violations).toEqual([])
    // Each wrote what it had read, plus one: as many writes as the number says, so none was overwritten, and no fence was given twice.
    expect([log.length, await written(), new Set(log).size]).toEqual([ACQUISITIONS, ACQUISITIONS, ACQUISITIONS])
    expect(log).toEqual(log.toSorted((a, b) => a - b))
  }, isProof ? 900_000 : 300_000)
})

/** A pause between looks, or one during which others are to be faster; nothing is judged by it. */
function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
