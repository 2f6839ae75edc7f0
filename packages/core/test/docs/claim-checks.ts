import { expect } from 'vitest'

/** A snippet's value is what its `// =>` says; `partial` when the claim ends in `... }`. */
export function value(actual: unknown, expected: () => unknown, partial: boolean, where: string): void {
  if (partial) expect(actual, where).toMatchObject(expected() as object)
  else expect(actual, where).toEqual(expected())
}

/** A snippet fails with the code its `// throws` names. */
export async function code(run: () => Promise<void>, expected: string, where: string): Promise<void> {
  const failure = await run().then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(failure, `${where} throws`).toBeInstanceOf(Error)
  expect(failure, where).toHaveProperty('code', expected)
}
