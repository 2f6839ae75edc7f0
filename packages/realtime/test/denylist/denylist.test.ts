import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { createDenylist, type DenylistOptions } from '../../src/denylist/index.js'
import { describeEverywhere, describeOnRedis, type Ground } from '../ground/ground.js'
import { jwt } from './jwt.js'

const HOUR_MS = 3_600_000
const inAnHour = () => Math.floor((Date.now() + HOUR_MS) / 1000)

const open = async (ground: Ground, options: DenylistOptions = {}) => createDenylist({ backend: await ground.process(), ...options })

describeEverywhere('a denylist', (ground) => {
  it('knows what was revoked, and nothing else (B6)', async () => {
    const denylist = await open(ground)
    const exp = inAnHour()
    await denylist.revoke({ jti: '1', exp })
    expect([await denylist.isRevoked({ jti: '1' }), await denylist.isRevoked({ jti: '2' })]).toEqual([true, false])
    expect([await denylist.check({ jti: '1' }), await denylist.check({ jti: '2' })]).toEqual(['revoked', 'not-revoked'])
    expect(denylist.stats()).toMatchObject({ revoked: 1, checked: 4, denied: 2, unknown: 0, sentLater: 0 })
    expect(denylist.health()).toMatchObject({ healthy: true })
  })

  it('takes a token for the same one, as text and as claims, however its signature is written', async () => {
    const denylist = await open(ground)
    const exp = inAnHour()
    await denylist.revoke(jwt({ iss: 'a', jti: '1', exp }))
    expect(await denylist.isRevoked({ iss: 'a', jti: '1' })).toBe(true)
    await denylist.revoke({ iss: 'a', jti: '2', exp })
    expect(await denylist.isRevoked(jwt({ iss: 'a', jti: '2', exp }))).toBe(true)
    await denylist.revoke(jwt({ sub: 'ada', exp }, 'AA'))
    expect(await denylist.isRevoked(jwt({ sub: 'ada', exp }, 'AB'))).toBe(true)
    const others = [{ jti: '1' }, { iss: 'b', jti: '1' }, jwt({ sub: 'bob', exp }, 'AA'), '1', JSON.stringify(['a', '1'])]
    expect(await Promise.all(others.map((token) => denylist.isRevoked(token)))).toEqual(others.map(() => false))
  })

  it('needs to know when a token expires, and which one it is', async () => {
    const denylist = await open(ground)
    for (const token of ['opaque', { jti: '1' }, jwt({ sub: 'ada' }), { jti: '1', exp: -1 }, { jti: '1', exp: 1e15 }, { exp: inAnHour() }, '', 'x'.repeat(16_385), null as never]) {
      await expect(denylist.revoke(token)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
    }
    await denylist.revoke('opaque', { expiresAt: new Date(Date.now() + HOUR_MS) })
    expect(await denylist.isRevoked('opaque')).toBe(true)
    for (const token of ['', { jti: '' }, undefined as never]) await expect(denylist.isRevoked(token)).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
  })

  it('forgets a token that has expired', async () => {
    const denylist = await open(ground, { leeway: 0 })
    await denylist.revoke('old', { expiresAt: new Date(Date.now() - 1) })
    expect(await denylist.isRevoked('old')).toBe(false)
  })

  it('lets no token through after it was closed', async () => {
    const denylist = await open(ground)
    await denylist.close()
    expect([await denylist.isRevoked('token'), denylist.health().healthy]).toEqual([true, false])
    await expect(denylist.revoke('token', { expiresAt: new Date(Date.now() + HOUR_MS) })).rejects.toMatchObject({ code: 'TIERCEL_CLOSED' })
  })
})

describeOnRedis('a denylist', (ground) => {
  it('of another process sees a revocation at its next check (B6)', async () => {
    const [one, other] = [await open(ground), await open(ground)]
    for (let n = 0; n < 200; n++) {
      const claims = { jti: String(n), exp: inAnHour() }
      expect(await other.isRevoked(claims)).toBe(false)
      expect(await one.revoke(claims)).toEqual({ durable: true })
      expect(await other.isRevoked(claims)).toBe(true)
    }
  })

  it('keeps hashes only, each exactly as long as its token can be accepted', async () => {
    const [denylist, exp] = [await open(ground, { leeway: '30s' }), inAnHour()]
    await denylist.revoke({ jti: 'secret-id', exp })
    const [key = ''] = (await ground.cli('KEYS', `${ground.prefix}denied:*`)) as string[]
    expect(key).toMatch(/^t\w+:denied:[\w-]{43}$/)
    expect(await ground.cli('GET', key)).toBe('1')
    expect(await ground.cli('PEXPIRETIME', key)).toBe(exp * 1000 + 30_000)
    // Whoever revokes it again does not shorten that.
    await denylist.revoke({ jti: 'secret-id', exp: exp - 600 })
    expect(await ground.cli('PEXPIRETIME', key)).toBe(exp * 1000 + 30_000)
    // Also when the next millisecond begins in the middle of it.
    await Promise.all(Array.from({ length: 1000 }, (_, n) => denylist.revoke({ jti: String(n), exp })))
    const keys = (await ground.cli('KEYS', `${ground.prefix}denied:*`)) as string[]
    expect(keys).toHaveLength(1001)
    expect(new Set(await Promise.all(keys.map((each) => ground.cli('PEXPIRETIME', each))))).toEqual(new Set([exp * 1000 + 30_000]))
  })
})

const folders: string[] = []
afterEach(() => vi.useRealTimers())
afterEach(() => Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true }))))

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tiercel-denylist-'))
  folders.push(folder)
  return folder
}

it('keeps revocations in a folder when there is no Redis, as hashes, and finds them again (B6)', async () => {
  const journal = join(await newFolder(), 'revocations')
  const first = createDenylist({ redis: false, journal })
  expect(await first.revoke({ jti: 'secret-id', exp: inAnHour() })).toEqual({ durable: true })
  await first.close()
  const [file = '', ...others] = await readdir(journal)
  expect(others).toEqual([])
  expect(file).not.toContain('secret')
  expect(await readFile(join(journal, file), 'utf8')).toBe('')
  const second = createDenylist({ redis: false, journal })
  expect([await second.isRevoked({ jti: 'secret-id' }), await second.isRevoked({ jti: 'other' })]).toEqual([true, false])
  await second.close()
})

it('refuses more than it may keep, and makes room for it when tokens have expired', async () => {
  const journal = await newFolder()
  const denylist = createDenylist({ redis: false, journal, maxPending: 2, leeway: 0 })
  vi.useFakeTimers({ toFake: ['Date'] })
  const [soonOver, later] = [new Date(Date.now() + 60_000), new Date(Date.now() + HOUR_MS)]
  await denylist.revoke('a', { expiresAt: soonOver })
  await denylist.revoke('b', { expiresAt: later })
  await denylist.revoke('b', { expiresAt: new Date(later.getTime() + 1) })
  await expect(denylist.revoke('c', { expiresAt: later })).rejects.toMatchObject({ code: 'TIERCEL_QUEUE_FULL' })
  vi.setSystemTime(soonOver)
  await denylist.revoke('c', { expiresAt: later })
  expect(await Promise.all(['a', 'b', 'c'].map((token) => denylist.isRevoked(token)))).toEqual([false, true, true])
  expect(await readdir(journal)).toHaveLength(2)
  await denylist.close()
})

it('refuses a folder that is none, and options that cannot be', async () => {
  const file = join(await newFolder(), 'file')
  await writeFile(file, '')
  for (const options of [{ journal: file }, { maxPending: 0 }, { leeway: -1 }]) {
    expect(() => createDenylist({ redis: false, ...options })).toThrow(expect.objectContaining({ code: 'TIERCEL_INVALID_OPTION' }))
  }
})
