import { startRedis } from '../../../src/testing/index.js'

export interface SharedRedis {
  readonly url: string
  stop(): Promise<void>
}

/** The Redis of `REDIS_URL` when there is one (set aside by the test configuration, so that no cache under test takes it unasked), else one started for the purpose. Only for tests that do it no harm. */
export async function useRedis(): Promise<SharedRedis> {
  const url = process.env.REDIS_URL || process.env.TIERCEL_TEST_REDIS_URL
  return url === undefined || url === '' ? await startRedis() : { url, stop: () => Promise.resolve() }
}
