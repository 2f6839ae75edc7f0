// Serves one page of 1 KB over HTTP in one of several ways, and tells what that took of the processor and of memory.
import { createServer, type RequestListener, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { createCache } from '@tiercel/core'
import { accelerate, cacheResponses } from '@tiercel/express'
import type { Request, Response } from 'express'
import type express5 from 'express'
import { converse } from './conversation.js'

export type ServingKind = 'node:http' | 'res.end' | 'res.json' | 'hit' | 'hit on the application' | 'accelerated hit'
export type HttpQuestion = 'port' | 'processor' | 'memory' | 'runs'

const [kind, version] = process.argv.slice(2) as [ServingKind, string]
const require = createRequire(import.meta.url)
const express = (version === 'express4' ? require('express4') : require('express')) as typeof express5

const body = Buffer.from(JSON.stringify({ text: 'x'.repeat(1013) }))
const cache = createCache({ redis: false, memory: { maxEntries: 100_000, maxBytes: 2 ** 30 } })
const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'public, max-age=600', ETag: '"1"' }
let runs = 0

function answer(_req: Request, res: Response): void {
  runs++
  res.setHeader('Content-Type', headers['Content-Type']).setHeader('Cache-Control', headers['Cache-Control']).setHeader('ETag', headers.ETag).setHeader('Content-Length', body.length)
  res.end(body)
}

function inExpress(): RequestListener {
  const app = express()
  const cached = cacheResponses({ cache })
  if (kind === 'accelerated hit') accelerate(app)
  if (kind === 'hit on the application') app.use(cached)
  if (kind === 'hit' || kind === 'accelerated hit') app.get(/.*/, cached, answer)
  else if (kind === 'res.json') app.get(/.*/, (_req, res) => void res.json({ text: 'x'.repeat(1013) }))
  else app.get(/.*/, answer)
  return app
}

const bare: RequestListener = (_req, res) => res.writeHead(200, { ...headers, 'Content-Length': body.length }).end(body)
const server: Server = createServer(kind === 'node:http' ? bare : inExpress()).listen(0, '127.0.0.1')

const answers: Readonly<Record<HttpQuestion, () => unknown>> = {
  port: () => (server.address() as AddressInfo).port,
  processor() {
    const { user, system } = process.cpuUsage()
    return (user + system) * 1000
  },
  memory() {
    for (let i = 0; i < 3; i++) globalThis.gc?.()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  },
  runs: () => runs,
}

converse<HttpQuestion>(async (question) => answers[question](), async () => {
  server.closeAllConnections()
  await cache.close()
})
