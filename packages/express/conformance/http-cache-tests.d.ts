/** A test of the suite, which has no types. */
interface CacheTest {
  readonly id: string
  readonly name: string
  /** Without it the test is about what a cache must do. */
  readonly kind?: 'required' | 'optimal' | 'check'
  /** Tests without which this one says nothing. */
  readonly depends_on?: readonly string[]
  readonly browser_only?: boolean
}

interface CacheTestSuite {
  readonly id: string
  readonly tests: readonly CacheTest[]
}

/** `true`, or what failed: the kind of failure and a message. */
type CacheTestResult = true | readonly [kind: string, message: string]

declare module 'node-fetch' {
  const fetch: unknown
  // oxlint-disable-next-line import/no-default-export -- it is the package that does
  export default fetch
}
