import { startRedis } from '../redis/server/index.js'

/** What finds it in the environment waits that long for Redis: a busy machine must not decide whether a page is true. */
const PATIENCE_MS = '10000'

/** Runs what finds its Redis by REDIS_URL with one that nobody else uses, and takes all of it away again. */
export async function withRedisUrl<T>(run: () => Promise<T>): Promise<T> {
  const server = await startRedis()
  const { REDIS_URL, REDIS_COMMAND_TIMEOUT } = process.env
  set({ REDIS_URL: server.url, REDIS_COMMAND_TIMEOUT: PATIENCE_MS })
  try {
    return await run()
  } finally {
    set({ REDIS_URL, REDIS_COMMAND_TIMEOUT })
    await server.stop()
  }
}

function set(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}
