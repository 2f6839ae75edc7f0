/** Names and values in turn; a field of several lines is there several times. Names are in lower case. */
export type HeaderList = readonly string[]

/** All values of a field, joined as RFC 9110, section 5.3 has it. */
export function valueOf(headers: HeaderList, name: string): string | undefined {
  let value: string | undefined
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) value = value === undefined ? headers[i + 1] : `${value}, ${headers[i + 1]}`
  }
  return value
}

export function hasHeader(headers: HeaderList, name: string): boolean {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return true
  return false
}

/** The list without some of its fields. */
export function without(headers: HeaderList, drops: (name: string) => boolean): string[] {
  const kept: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string
    if (!drops(name)) kept.push(name, headers[i + 1] as string)
  }
  return kept
}

/** The elements of a field that is a list of tokens, in lower case. */
export function tokensOf(value: string | undefined): string[] {
  if (value === undefined) return []
  return value.toLowerCase().split(',').map((token) => token.trim()).filter((token) => token !== '')
}
