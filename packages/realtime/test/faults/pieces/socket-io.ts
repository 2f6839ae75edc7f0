import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { expect, vi } from 'vitest'
import type { Backend } from '../../../src/backend/backend.js'
import { connectSocketIo } from '../../../src/socket-io/index.js'
import { soon } from '../../ground/ground.js'
import type { Piece } from '../piece.js'
import { inOrder } from './numbers.js'

type Adapter = 'pubsub' | 'streams'

async function serve(backend: Backend, adapter: Adapter) {
  const http = createServer()
  const io = new Server(http)
  const connection = await connectSocketIo(io, { backend, adapter })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const socket = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: ['websocket'], forceNew: true })
  const heard: number[] = []
  socket.on('message', (n: number) => heard.push(n))
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  return {
    io,
    heard,
    async end() {
      socket.disconnect()
      await io.close()
      await connection.close()
    },
  }
}

function socketIo(adapter: Adapter): Piece {
  return {
    name: `Socket.IO by ${adapter}`,
    promised: 'clients of the server hear all of it, those of others in order and nothing twice, and again when it is over',
    refusesOnly: [],
    async begin({ hit, other }) {
      const [mine, theirs] = [await serve(hit, adapter), await serve(other, adapter)]
      let last = 0
      return {
        async operate(n) {
          mine.io.emit('message', n)
          last = n
          await vi.waitUntil(() => mine.heard.at(-1) === n, soon)
        },
        async check() {
          expect(mine.heard).toEqual(Array.from({ length: last + 1 }, (_, n) => n))
          await vi.waitUntil(() => {
            mine.io.emit('message', ++last)
            return (theirs.heard.at(-1) ?? 0) > last - 20 && theirs.heard.length > 0
          }, { ...soon, interval: 50 })
          expect(theirs.heard).toEqual(inOrder(theirs.heard))
        },
        async end() {
          await mine.end()
          await theirs.end()
        },
      }
    },
  }
}

export const socketIoByPubSub = socketIo('pubsub')
export const socketIoByStreams = socketIo('streams')
