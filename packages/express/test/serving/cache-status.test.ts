import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect, it } from 'vitest'
import { CacheStatus } from '../../src/serve/cache-status.js'

it('says how many seconds are left, whatever it has said before', () => {
  const status = new CacheStatus('edge')
  const said = (ttl: number): unknown => {
    const res = new ServerResponse(new IncomingMessage(new Socket()))
    status.addHit(res, ttl)
    return res.getHeader('cache-status')
  }
  for (const ttl of [...Array.from({ length: 2500 }, (_, seconds) => seconds), 0, 2499, 2 ** 31]) expect(said(ttl)).toBe(`edge; hit; ttl=${ttl}`)
})
