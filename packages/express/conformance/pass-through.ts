import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http'

/** A handler that answers what the origin at that port does: all it knows of caching is what the origin's headers say. */
export function passThrough(port: number): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    // Read when it is called, and no earlier: whoever revalidates changes them on the way to the handler.
    const { method, headers, url } = request
    let isAnswered = false
    const upstream = ask({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      isAnswered = true
      const { statusCode = 502, statusMessage = '' } = answer
      response.statusCode = statusCode
      response.statusMessage = statusMessage
      for (const [name, values] of byName(answer.rawHeaders)) response.setHeader(name, values)
      answer.on('error', () => response.destroy())
      answer.pipe(response)
    })
    upstream.on('information', ({ statusCode, headers: hints }) => {
      if (statusCode === 102) response.writeProcessing()
      else if (statusCode === 103) response.writeEarlyHints(Object.fromEntries(Object.entries(hints).map(([name, value]) => [name, String(value)])))
    })
    upstream.on('error', () => {
      // After an answer it is the connection that failed: a test sends more than the length it says, which counts as sent.
      if (!isAnswered) response.writeHead(502).end()
    })
    request.pipe(upstream)
  }
}

/** This hop's own headers stay on it, apart from `Connection`, since what it lists is part of some tests. */
const OF_THIS_HOP = new Set(['keep-alive', 'transfer-encoding'])

function byName(raw: readonly string[]): Map<string, string | string[]> {
  const headers = new Map<string, string | string[]>()
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i]?.toLowerCase(), raw[i + 1]]
    if (OF_THIS_HOP.has(name)) continue
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : [before, value].flat())
  }
  return headers
}
