/** How many of a kind passed, and which did not. */
export interface Count {
  readonly total: number
  readonly failed: readonly { readonly id: string; readonly why: string }[]
}

export interface Score {
  /** What the RFCs ask of every cache. */
  readonly required: Count
  /** What a cache is the better for. */
  readonly optimal: Count
}

/** A test passed only if those it depends on did: without them it may have passed for the wrong reason. */
export function score(suites: readonly CacheTestSuite[], results: Readonly<Record<string, CacheTestResult>>): Score {
  const tests = new Map(suites.flatMap((suite) => suite.tests.map((test) => [test.id, test] as const)))
  const whyNot = (id: string): string | undefined => {
    const result = results[id]
    if (result !== true) return result?.join(': ') ?? 'it was not run'
    return tests.get(id)?.depends_on?.filter((each) => whyNot(each) !== undefined).map((each) => `it depends on ${each}`)[0]
  }
  const count = (kind: string): Count => {
    const counted = [...tests.values()].filter((test) => (test.kind ?? 'required') === kind && test.browser_only !== true)
    const failed = counted.flatMap(({ id }) => {
      const why = whyNot(id)
      return why === undefined ? [] : [{ id, why }]
    })
    return { total: counted.length, failed }
  }
  return { required: count('required'), optimal: count('optimal') }
}

export const passed = ({ total, failed }: Count): number => total - failed.length
