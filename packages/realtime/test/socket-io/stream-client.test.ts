import { setTimeout as delay } from 'node:timers/promises'
import { RedisUnavailableError } from '@tiercel/core'
import type { OwnLink } from '@tiercel/core/connection'
import { expect, it, vi } from 'vitest'
import { StreamClient } from '../../src/socket-io/stream-client.js'

const read = (client: StreamClient) => client.xRead([{ key: 'stream', id: '$' }], { COUNT: 100 })

function away(): { readonly client: StreamClient; readonly send: ReturnType<typeof vi.fn> } {
  const send = vi.fn<() => Promise<never>>(() => Promise.reject(new RedisUnavailableError('away')))
  const link = { deadlineMs: 1000, send, close: () => Promise.resolve() } as unknown as OwnLink
  return { client: new StreamClient(link, link), send }
}

it('a read that fails takes its time, since the adapter asks again at once', async () => {
  const { client, send } = away()
  const end = performance.now() + 300
  let reads = 0
  do expect(await read(client)).toBeNull()
  while (++reads < 100 && performance.now() < end)
  expect([reads, send.mock.calls.length]).toEqual([1, 1])
})

it('after it was closed nobody is made to ask again', async () => {
  const { client } = away()
  await client.close()
  expect(await Promise.race([read(client), delay(700, 'nothing')])).toBe('nothing')
})

it('what cannot be written or told rejects nowhere', async () => {
  const { client, send } = away()
  expect(await client.xAdd('stream', '*', { a: '1' }, { TRIM: { threshold: 10 } })).toBe('')
  expect(send).toHaveBeenCalledWith(['XADD', 'stream', 'MAXLEN', '~', '10', '*', 'a', '1'], expect.anything())
  expect(await client.publish('channel', 'x')).toBe(0)
  await expect(client.set('key', 'x', { PX: 1000 })).resolves.toBeUndefined()
  await expect(client.begin('stream')).resolves.toBeUndefined()
})

it('only what is got can be deleted with it', async () => {
  await expect(away().client.multi().get('a').del('b').exec()).rejects.toMatchObject({ code: 'TIERCEL_INVALID_ARGUMENT' })
})
