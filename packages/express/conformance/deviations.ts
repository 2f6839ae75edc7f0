/** Tests that do not pass, by name, and why: what the documentation lists, and all that may fail. */
export const deviations: Readonly<Record<string, string>> = {}
