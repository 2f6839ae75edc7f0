/** Where a node listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

export function nameOf({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
