import { describe, expect, it } from 'vitest'
import { stateOf, Token, TokenRegistry, TokenState } from '../../src/coherence/token.js'

describe('tokens', () => {
  it('are one for all who hold the same id, until it is invalidated', () => {
    const tokens = new TokenRegistry()
    const one = tokens.hold('t')
    expect(tokens.hold('t')).toBe(one)
    expect(tokens.hold('u')).not.toBe(one)
    tokens.invalidate('t')
    expect(one.state).toBe(TokenState.Dead)
    expect(tokens.hold('t')).not.toBe(one)
  })

  it('make an entry as bad as the worst of them', () => {
    const [live, expired, dead] = [new Token('a'), new Token('b'), new Token('c')]
    expired.state = TokenState.Expired
    dead.state = TokenState.Dead
    expect(stateOf([])).toBe(TokenState.Live)
    expect(stateOf([live, live])).toBe(TokenState.Live)
    expect(stateOf([live, expired])).toBe(TokenState.Expired)
    expect(stateOf([expired, dead, live])).toBe(TokenState.Dead)
  })

  it('leave others alone when one is invalidated or expired', () => {
    const tokens = new TokenRegistry()
    const [one, other] = [tokens.hold('t'), tokens.hold('u')]
    tokens.invalidate('t')
    tokens.expire('t')
    tokens.invalidate('nobody has it')
    tokens.expire('nobody has it')
    expect([one.state, other.state]).toEqual([TokenState.Dead, TokenState.Live])
    expect(tokens.size).toBe(1)
  })

  it('reach what was expired before when they are invalidated', () => {
    const tokens = new TokenRegistry()
    const old = tokens.hold('t')
    tokens.expire('t')
    const fresh = tokens.hold('t')
    expect([old.state, fresh.state]).toEqual([TokenState.Expired, TokenState.Live])
    tokens.invalidate('t')
    expect([old.state, fresh.state]).toEqual([TokenState.Dead, TokenState.Dead])
  })

  it('reach it also when nobody has held the one in between', () => {
    const tokens = new TokenRegistry()
    const old = tokens.hold('t')
    tokens.expire('t')
    tokens.invalidate('t')
    expect(old.state).toBe(TokenState.Dead)
  })

  it('let only what was expired last serve as grace', () => {
    const tokens = new TokenRegistry()
    const first = tokens.hold('t')
    tokens.expire('t')
    const second = tokens.hold('t')
    tokens.expire('t')
    expect([first.state, second.state]).toEqual([TokenState.Dead, TokenState.Expired])
  })

  it('are forgotten with their last holder', () => {
    const tokens = new TokenRegistry()
    const held = tokens.holdAll(['a', 'b', 'a'])
    tokens.holdAgain(held)
    expect(tokens.size).toBe(2)
    tokens.release(held)
    expect(tokens.size).toBe(2)
    tokens.release(held)
    expect(tokens.size).toBe(0)
  })

  it('are forgotten however they were expired and invalidated, in whichever order they are let go', () => {
    for (const newestFirst of [true, false]) {
      for (const changes of [['expire'], ['invalidate'], ['expire', 'expire'], ['expire', 'invalidate'], ['expire', 'expire', 'expire', 'invalidate'], ['invalidate', 'expire']] as const) {
        for (const holdsBetween of [true, false]) {
          const tokens = new TokenRegistry()
          const held = [tokens.hold('t')]
          for (const change of changes) {
            tokens[change]('t')
            if (holdsBetween) held.push(tokens.hold('t'))
          }
          if (newestFirst) held.reverse()
          for (const token of held) tokens.release([token])
          expect(tokens.size, `${changes.join()} ${String(newestFirst)} ${String(holdsBetween)}`).toBe(0)
          expect(held.every((token) => token.successor === undefined && token.expired === undefined)).toBe(true)
        }
      }
    }
  })
})
