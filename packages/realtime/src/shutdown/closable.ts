/** Something to close: with a method, of which the result or the callback is waited for, or a function. */
export type Closable = (() => unknown) | { close(...args: never[]): unknown }

/** What is needed of a server of `node:http`. */
interface HttpServer {
  close(done: (error?: Error) => void): unknown
  closeIdleConnections(): void
}

/** Resolves when it is closed. */
export async function closed(closable: Closable): Promise<void> {
  if (typeof closable === 'function') await closable()
  else if (isHttpServer(closable)) await closedServer(closable)
  else await closable.close()
}

function isHttpServer(closable: object): closable is HttpServer {
  return 'closeIdleConnections' in closable && typeof closable.closeIdleConnections === 'function'
}

/** Connections that are kept open for a next request are ended with it, and requests that are being answered are not cut off. */
function closedServer(server: HttpServer): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => {
      // Closed already is closed.
      if (error === undefined || (error as NodeJS.ErrnoException).code === 'ERR_SERVER_NOT_RUNNING') resolve()
      else reject(error)
    })
  })
}
