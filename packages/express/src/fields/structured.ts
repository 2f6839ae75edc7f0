/** What an item of a structured field can be, as far as it is used here (RFC 9651). */
export type BareItem = string | number | boolean | Token

/** A word without quotes, and what is read no further. */
export class Token {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text
  }
}

export type InnerList = readonly BareItem[]

/**
 * A dictionary: the last of each key counts. Parameters are read over. `undefined` when it is malformed, in which case all of the field has to be ignored.
 */
export function parseDictionary(field: string): ReadonlyMap<string, BareItem | InnerList> | undefined {
  const reader = new Reader(field)
  const dictionary = new Map<string, BareItem | InnerList>()
  const read = reader.members(() => {
    const key = reader.match(/[a-z*][a-z0-9_.*-]*/y)
    if (key === undefined) return false
    const value = reader.match(/=/y) === undefined ? true : reader.itemOrInnerList()
    if (value === undefined || !reader.parameters()) return false
    dictionary.set(key, value)
    return true
  })
  return read ? dictionary : undefined
}

/** The strings of a list that has nothing else; `undefined` when it is malformed or has. */
export function parseStrings(field: string): readonly string[] | undefined {
  const reader = new Reader(field)
  const strings: string[] = []
  const read = reader.members(() => {
    const item = reader.item()
    if (typeof item !== 'string' || !reader.parameters()) return false
    strings.push(item)
    return true
  })
  return read ? strings : undefined
}

class Reader {
  #at = 0

  constructor(private readonly text: string) {}

  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  /** Members between commas, up to the end. */
  members(member: () => boolean): boolean {
    this.match(/ */y)
    if (this.#isOver) return true
    for (;;) {
      if (!member()) return false
      this.match(/[ \t]*/y)
      if (this.#isOver) return true
      if (this.match(/,[ \t]*/y) === undefined || this.#isOver) return false
    }
  }

  itemOrInnerList(): BareItem | InnerList | undefined {
    if (this.match(/\( */y) === undefined) return this.item()
    const items: BareItem[] = []
    while (this.match(/\)/y) === undefined) {
      const item = this.item()
      if (item === undefined || !this.parameters()) return undefined
      items.push(item)
      if (this.match(/ +/y) === undefined && this.text[this.#at] !== ')') return undefined
    }
    return items
  }

  item(): BareItem | undefined {
    const string = this.match(/"(?:[ !#-[\]-~]|\\["\\])*"/y)
    if (string !== undefined) return string.slice(1, -1).replaceAll(/\\(.)/g, '$1')
    const number = this.match(/-?\d{1,15}(?:\.\d{1,3})?/y)
    if (number !== undefined) return Number(number)
    const boolean = this.match(/\?[01]/y)
    if (boolean !== undefined) return boolean === '?1'
    const token = this.match(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*|:[A-Za-z0-9+/=]*:/y)
    return token === undefined ? undefined : new Token(token)
  }

  parameters(): boolean {
    while (this.match(/; */y) !== undefined) {
      if (this.match(/[a-z*][a-z0-9_.*-]*/y) === undefined) return false
      if (this.match(/=/y) !== undefined && this.item() === undefined) return false
    }
    return true
  }

  get #isOver(): boolean {
    return this.#at >= this.text.length
  }
}
