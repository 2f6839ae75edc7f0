/** A value was met that cannot be part of a key. Never leaves the package: whoever knows the method and the parameter says it better. */
export class NoIdentity extends Error {
  constructor(readonly what: string) {
    super(`${what} cannot be part of a key`)
  }
}
