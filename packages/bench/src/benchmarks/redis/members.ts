import { encodeEntry, resolveEntryFormat } from '../../../../core/dist/esm/codec/index.js'
import { RedisNames } from '../../../../core/dist/esm/redis/names.js'
import { nameInEntry } from '../../../../core/dist/esm/redis/token-names.js'
import type { Cache } from '@tiercel/core'
import { expect } from '../../misbehaviour.js'
import type { NodeRedis } from '../../redis/clients.js'

const AT_A_TIME = 2000
const TTL_MS = 3_600_000
const format = resolveEntryFormat()
const names = new RedisNames('')

/** The entries of one room, whose keys are `<room>:<number>`. */
export interface Members {
  readonly room: string
  readonly count: number
  /** What Redis calls the room's token. */
  readonly token: string
  /** What the token was when they were written. */
  readonly written: string
}

/** Writes the entries of a room straight into Redis, as the cache would write them one by one. */
export async function writeMembers(cache: Cache, admin: NodeRedis, room: string, count: number): Promise<Members> {
  // The first in the regular way, which makes the tokens.
  expect(await cache.set(keyOf(room, 0), valueOf(0), { room, ttl: TTL_MS }), 'the first member was not stored')
  const ids = [`${cache.name}\0g`, `${cache.name}\0r${room}`]
  const written = await Promise.all(ids.map((id) => admin.get(names.token(id))))
  const tags = new Map(ids.map((id, i) => [nameInEntry(id), String(written[i])]))
  const [seconds] = (await admin.sendCommand(['TIME'])) as unknown as [string]
  const softExpiresAt = Number(seconds) * 1000 + TTL_MS
  for (let start = 1; start < count; start += AT_A_TIME) {
    const commands: Promise<unknown>[] = []
    for (let id = start; id < Math.min(start + AT_A_TIME, count); id++) {
      const key = keyOf(room, id)
      const entry = encodeEntry({ key: `${cache.name}\0${key}`, value: valueOf(id), softExpiresAt, expiresAt: softExpiresAt, ttl: TTL_MS, tags }, format) as Buffer
      commands.push(admin.sendCommand(['SET', names.entry(cache.name, key), entry, 'PX', String(TTL_MS)]))
    }
    await Promise.all(commands)
  }
  const members: Members = { room, count, token: names.token(ids[1] as string), written: String(written[1]) }
  await expectMembers(cache, members, true)
  return members
}

/** Whether all of them, as far as a look at the ends and the middle tells, can be read. */
export async function expectMembers(cache: Cache, { room, count }: Members, areThere: boolean): Promise<void> {
  for (const id of [0, count >> 1, count - 1]) {
    const found = await cache.get<{ id: number }>(keyOf(room, id), { memory: false })
    expect(areThere ? found?.id === id : found === undefined, `member ${id} of ${count} was ${areThere ? 'not' : 'still'} there`)
  }
}

function keyOf(room: string, id: number): string {
  return `${room}:${id}`
}

function valueOf(id: number): { readonly id: number } {
  return { id }
}
