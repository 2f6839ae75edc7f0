/**
 * Where keys are in the memory that all namespaces of a cache share. Keys of the cache itself are there under their own name, which saves the most frequent read
 * a concatenation; those of a namespace behind its path.
 */
export class Locations {
  readonly #rootPath: string

  constructor(rootPath: string) {
    this.#rootPath = rootPath
  }

  prefixOf(path: string): string {
    return path === this.#rootPath ? '' : `\0${path}\0`
  }

  locate(prefix: string, key: string): string {
    if (prefix !== '') return prefix + key
    // A key that begins like the prefix of a namespace gets one that no namespace has. NaN, for the empty key, goes that way too.
    return key.charCodeAt(0) > 0 ? key : `\0\0${key}`
  }

  /** The key that `locate` put there, if it has that prefix. */
  keyAt(prefix: string, location: string): string | undefined {
    if (prefix !== '') return location.startsWith(prefix) ? location.slice(prefix.length) : undefined
    if (location.charCodeAt(0) > 0) return location
    return location.startsWith('\0\0') ? location.slice(2) : undefined
  }
}
