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

  constructor(readonly id: string) {}
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
    if (token === undefined) return
    const successor = new Token(id)
    successor.holders = 1
    successor.expired = token
    this.#current.set(id, successor)
    token.state = TokenState.Expired
    token.successor = successor
    if (token.expired !== undefined) {
      token.expired.state = TokenState.Dead
      token.expired.successor = undefined
      token.expired = undefined
      this.#releaseOne(token)
    }
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
