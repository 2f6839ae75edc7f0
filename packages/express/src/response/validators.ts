import { valueOf, type HeaderList } from '../fields/header-list.js'

/** What a handler can be asked by whether a response is still good. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

export function validatorsOf(headers: HeaderList): Validators | undefined {
  const etag = valueOf(headers, 'etag')
  const lastModified = valueOf(headers, 'last-modified')
  return etag === undefined && lastModified === undefined ? undefined : { etag, lastModified }
}
