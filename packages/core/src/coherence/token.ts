/** What an entry that carries the token may be used for. */
export const TokenState = {
  /** Nothing was invalidated: the entry is good. */
  Live: 0,
  /** `expire` was called: the entry counts as past its TTL and may serve as grace. */
  Expired: 1,
  /** `invalidate` was called: the entry must not be served at all. */
  Dead: 2,
} as const
export type TokenState = (typeof TokenState)[keyof typeof TokenState]

/**
 * Stands for one tag, room or namespace at one moment. Entries hold the tokens that were current when their
 * load began; invalidating replaces the token, so it costs the same for one entry and for a million.
 */
export class Token {
  state: TokenState = TokenState.Live
  /** How many entries and loads hold this token. At zero nobody can be affected by it and it is forgotten. */
  holders = 0
  /** The token that `expire` put in place of this one. It must outlive this one: `invalidate` reaches us through it. */
  successor: Token | undefined
  /** The token this one replaced by `expire`, whose entries still serve as grace. */
  expired: Token | undefined

  constructor(
    readonly id: string,
    /** What Redis calls it. Unknown until it was read there, and always without Redis. */
    public value: string | undefined = undefined,
  ) {}
}

/** The worst state among an entry's tokens. */
export function stateOf(tokens: readonly Token[]): TokenState {
  let worst: TokenState = TokenState.Live
  for (let i = 0; i < tokens.length; i++) {
    const { state } = tokens[i] as Token
    if (state > worst) worst = state
  }
  return worst
}

/**
 * The current token of every tag, room and namespace that something in this process depends on. A token is
 * forgotten with its last holder, so the registry is never larger than what memory and the running loads name.
 */
export class TokenRegistry {
  readonly #current = new Map<string, Token>()

  get size(): number {
    return this.#current.size
  }

  /** The current token, held for the caller until `release`. */
  hold(id: string): Token {
    let token = this.#current.get(id)
    if (token === undefined) {
      token = new Token(id)
      this.#current.set(id, token)
    }
    token.holders++
    return token
  }

  /**
   * Takes note of what Redis has as the token of `id`. If another one is current here, an invalidation has not reached us yet: what carries that one is
   * dead. After an expiry Redis has `new<old`.
   */
  learn(id: string, written: string): void {
    const token = this.#current.get(id)
    if (token === undefined) return
    const { value } = parseToken(written)
    if (token.value === undefined) token.value = value
    else if (token.value !== value) this.invalidate(id)
  }

  /** The token that Redis has, held for the caller. */
  holdLearned(id: string, written: string): Token {
    this.learn(id, written)
    const token = this.hold(id)
    token.value = parseToken(written).value
    return token
  }

  /** The token that Redis had before the last expiry, held for an entry that still carries it. */
  holdExpired(id: string, written: string): Token {
    const current = this.holdLearned(id, written)
    const { expired: value } = parseToken(written)
    if (current.expired !== undefined && current.expired.value === value) {
      this.#releaseOne(current)
    } else {
      this.#buryExpired(current)
      current.expired = new Token(id, value)
      current.expired.state = TokenState.Expired
      // The hold that was taken above is from now on the expired token's.
      current.expired.successor = current
    }
    current.expired.holders++
    return current.expired
  }

  holdAll(ids: readonly string[]): Token[] {
    return ids.map((id) => this.hold(id))
  }

  /** Holds tokens that somebody else is known to hold already. */
  holdAgain(tokens: readonly Token[]): void {
    for (const token of tokens) token.holders++
  }

  release(tokens: readonly Token[]): void {
    for (let i = 0; i < tokens.length; i++) this.#releaseOne(tokens[i] as Token)
  }

  /** Everything that carries the current token, or one it replaced by `expire`, is dead from now on. */
  invalidate(id: string): void {
    const token = this.#current.get(id)
    if (token === undefined) return
    this.#current.delete(id)
    token.state = TokenState.Dead
    if (token.expired !== undefined) token.expired.state = TokenState.Dead
  }

  /** Everything that carries the current token may serve as grace only; what was expired before that is dead. */
  expire(id: string): void {
    const token = this.#current.get(id)
    // Held by nobody but the one it replaced: nothing was kept since, and what that one stands for is expired already.
    if (token === undefined || (token.expired !== undefined && token.holders === 1)) return
    const successor = new Token(id)
    successor.holders = 1
    successor.expired = token
    this.#current.set(id, successor)
    token.state = TokenState.Expired
    token.successor = successor
    this.#buryExpired(token)
  }

  #buryExpired(token: Token): void {
    const { expired } = token
    if (expired === undefined) return
    expired.state = TokenState.Dead
    expired.successor = undefined
    token.expired = undefined
    this.#releaseOne(token)
  }

  #releaseOne(token: Token): void {
    if (--token.holders > 0) return
    if (this.#current.get(token.id) === token) this.#current.delete(token.id)
    if (token.successor !== undefined) {
      token.successor.expired = undefined
      this.#releaseOne(token.successor)
      token.successor = undefined
    }
  }
}

function parseToken(written: string): { value: string; expired: string | undefined } {
  const at = written.indexOf('<')
  return at < 0 ? { value: written, expired: undefined } : { value: written.slice(0, at), expired: written.slice(at + 1) }
}
