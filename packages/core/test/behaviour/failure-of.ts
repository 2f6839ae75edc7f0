/** What a promise rejects with. It counts as handled from now on, so that time may pass before somebody looks. */
export function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => {
      throw new Error(`It did not fail, but gave ${String(value)}`)
    },
    (error: unknown) => error,
  )
}
