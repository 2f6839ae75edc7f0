/** What a page is asked for by: three fields. */
export interface Query {
  readonly key: string
  readonly page: number
  readonly sort: string
}
