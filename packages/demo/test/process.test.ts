import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildProgram, removePrograms } from './program.js'
import { endAll, run } from './running.js'

/** Nothing takes so long, however busy the machine is, unless it hangs. */
const LONG = 300_000

describe('the process, without Redis', () => {
  let main: string
  let broken: string

  beforeAll(async () => {
    main = (await buildProgram()).main
    broken = (await buildProgram({ core: new URL('./cache-that-keeps-rooms.ts', import.meta.url) })).main
  }, LONG)
  afterEach(endAll)
  afterAll(removePrograms)

  const start = (args: string[], env?: NodeJS.ProcessEnv) => run(process.execPath, [main, ...args], env)

  it('plays what one process can, says how to see the rest, and ends by itself', async () => {
    const { output, ended } = start(['--quick'])
    expect(await ended).toBe(0)
    expect(output.out).toContain('14 of 14 claims held')
    expect(output.out).toContain('Left out: two processes on one Redis. Install redis-server')
    expect(output.out).not.toContain('\u001b')
    expect(output.err).toBe('')
  }, LONG)

  it('fails when what it shows is not true', async () => {
    const { output, ended } = run(process.execPath, [broken, '--quick'])
    expect(await ended).toBe(1)
    expect(output.out).toContain('FAILED  once the update was confirmed, nobody saw the old value')
  }, LONG)

  it.each(['SIGINT', 'SIGTERM'] as const)('serves until %s, then closes cleanly', async (signal) => {
    const { child, output, ended, serving } = start(['--quick', '--serve'], { PORT: '0' })
    const [origin, other] = await serving()
    expect(other).toBeUndefined()
    expect((await fetch(`${origin}/countries/FR`)).status).toBe(200)
    expect(await (await fetch(`${origin}/stats`)).json()).toMatchObject({ databaseQueries: 1, cache: { misses: 1 } })
    child.kill(signal)
    expect(await ended).toBe(0)
    expect(output.err).toBe('')
  }, LONG)

  it('does not stay behind when npm ends the shell it was started in', async () => {
    const script = `${process.execPath} ${main} --quick --serve; true`
    const { child, output, ended, serving } = run('/bin/sh', ['-c', script], { PORT: '0', npm_lifecycle_event: 'demo' })
    await serving()
    child.kill('SIGTERM')
    await ended
    expect(output.out).toContain('Closing')
    expect(output.err).toBe('')
  }, LONG)

  it.each([
    [['--sevre'], {}, 'sevre'],
    [['--serve'], { PORT: 'http' }, 'PORT is a number'],
    [['--quick'], { DATABASE_URL: 'postgres://someone:hunter2@127.0.0.1:1/none' }, 'ECONNREFUSED'],
    [['--quick'], { DATABASE_URL: 'postgres://someone:hunter2@[/none' }, 'cannot go on'],
    [['--quick'], { REDIS_URL: 'http://someone:hunter2@127.0.0.1' }, 'begins with redis://'],
    [['--quick'], { REDIS_URL: 'redis://someone:hunter2@127.0.0.1:1' }, 'REDIS_URL names a Redis that does not answer'],
  ])('says what is wrong with %j %j, without a secret, and fails', async (args, env, about) => {
    const { output, ended } = start(args, env)
    expect(await ended).toBe(1)
    expect(output.err).toContain(about)
    expect(output.err + output.out).not.toContain('hunter2')
  }, LONG)
})
