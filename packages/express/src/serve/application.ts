import type { IncomingMessage, ServerResponse } from 'node:http'

/** An application of Express 4 or 5. */
export interface App {
  (req: IncomingMessage, res: ServerResponse): unknown
  /** The application it is mounted in. */
  readonly parent?: App
}

/** The application that a request came to first; `undefined` outside of Express. */
export function rootOf(req: IncomingMessage): App | undefined {
  let { app } = req as { app?: App }
  if (typeof app !== 'function') return undefined
  while (app.parent !== undefined) app = app.parent
  return app
}
