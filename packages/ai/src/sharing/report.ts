/** Somebody to tell of what no caller is told of. */
export type Report = (error: unknown) => void
