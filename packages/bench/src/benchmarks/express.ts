import { createConnection } from 'node:net'
import { startConversation, type Conversation } from '../children/conversation.js'
import type { HttpQuestion, ServingKind } from '../children/http-server.js'
import { compare, type Comparison } from '../comparison.js'
import type { HttpEffort } from '../effort.js'
import { seriesOf, type Series } from '../measure.js'
import { expect } from '../misbehaviour.js'
import type { Benchmark } from './benchmark.js'

const program = new URL('../children/http-server.js', import.meta.url)
const CONNECTIONS = 16
const PAGE = '1 KB'
const kinds: readonly ServingKind[] = ['node:http', 'res.end', 'res.json', 'hit', 'hit on the application', 'accelerated hit']

/** A page of 1 KB over HTTP, cached and not: what the server's processor spends. */
export const express: Benchmark = async ({ http }) => ({
  name: 'express',
  title: `A page of ${PAGE} over HTTP, ${CONNECTIONS} connections: processor time of the server`,
  comparisons: [...(await servedBy('express', 'Express 5', http)), ...(await servedBy('express4', 'Express 4', http)), await memoryOf('express', http)],
  notes: ['res.end sends the same bytes with the same headers, from a Buffer that is there already; res.json makes them. Both are routes, and so are hits where nothing else is said. The last line is what memory grows by per page kept.'],
})

async function servedBy(version: string, name: string, effort: HttpEffort): Promise<Comparison[]> {
  const servers = await Promise.all(kinds.map((kind) => start(kind, version)))
  const samples = kinds.map((): number[] => [])
  for (const { visit } of servers) await visit(effort.warmUpRequests)
  for (let round = 0; round < effort.rounds; round++) {
    for (const [i, server] of servers.entries()) {
      const before = (await server.ask('processor')) as number
      await server.visit(effort.requests)
      samples[i]?.push((((await server.ask('processor')) as number) - before) / effort.requests)
    }
  }
  for (const { kind, ask, end } of servers) {
    expect(!kind.includes('hit') || ((await ask('runs')) as number) === 1, `the handler behind a ${kind} did not run once`)
    await end()
  }
  const named = (kind: ServingKind): Series => seriesOf(`${kind}, ${kind === 'node:http' ? 'bare' : name}`, 'ns', samples[kinds.indexOf(kind)] ?? [])
  return [
    compare(PAGE, named('hit'), named('res.end'), 1.05),
    compare(PAGE, named('hit on the application'), named('res.end'), 1.05),
    compare(PAGE, named('hit'), named('res.json')),
    compare(PAGE, named('accelerated hit'), named('node:http'), 1.25),
    compare(PAGE, named('accelerated hit'), named('res.end'), 0.4),
  ]
}

async function memoryOf(version: string, { pages }: HttpEffort): Promise<Comparison> {
  const server = await start('hit', version)
  await server.visit(1000)
  const before = (await server.ask('memory')) as number
  await server.visit(pages, (i) => `/pages/${i}`)
  const grown = (((await server.ask('memory')) as number) - before) / pages
  expect(((await server.ask('runs')) as number) === pages + 1, 'not every page was kept')
  await server.end()
  return compare(PAGE, seriesOf('memory of a page kept', 'bytes', [grown]), seriesOf('its body', 'bytes', [1024]), 2.5)
}

interface Serving {
  readonly kind: ServingKind
  ask(question: HttpQuestion): Promise<unknown>
  /** So many requests, over all connections, each sent when the one before is answered. */
  visit(requests: number, path?: (i: number) => string): Promise<void>
  end(): Promise<void>
}

async function start(kind: ServingKind, version: string): Promise<Serving> {
  const conversation: Conversation = await startConversation(program, kind, version)
  const port = (await conversation.ask('port')) as number
  return {
    kind,
    ask: (question) => conversation.ask(question),
    async visit(requests, path = () => '/') {
      let sent = 0
      const next = (): string | undefined => (sent < requests ? `GET ${path(sent++)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n` : undefined)
      await Promise.all(Array.from({ length: CONNECTIONS }, () => converseOverHttp(port, next)))
    },
    end: () => conversation.end(),
  }
}

/** Reads as little of the answers as it can: the client shares the processors with what is measured. */
function converseOverHttp(port: number, next: () => string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1')
    let left = 0
    const send = (): void => {
      const request = next()
      if (request === undefined) socket.end()
      else socket.write(request)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', (chunk) => {
      left += left === 0 ? lengthOf(chunk) - chunk.length : -chunk.length
      if (left === 0) send()
    })
  })
}

function lengthOf(chunk: Buffer): number {
  const bodyAt = chunk.indexOf('\r\n\r\n') + 4
  const head = chunk.toString('latin1', 0, bodyAt)
  const [, length] = /content-length: (\d+)/i.exec(head) ?? []
  expect(length !== undefined && head.startsWith('HTTP/1.1 200 '), `the server answered ${head.slice(0, 40)}`)
  return bodyAt + Number(length)
}
