import { InvalidTargetError } from '../errors/index.js'

const MAX_PATTERN = 1024

/**
 * A matcher for a glob as Redis has it: `*` any run, `?` one character, `[a-z]` and `[^a-z]` a class, `\` takes the next character literally.
 *
 * No regular expression is built from it: those take exponential time on patterns such as `*a*a*a*b`. Two pointers with one
 * point of return take at most pattern x key steps.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const steps = parse(pattern)
  if (steps.length === 1 && steps[0] === ANY) return () => true
  return (text) => matches(steps, text)
}

const ANY = Symbol('*')
const ONE = Symbol('?')
type Class = { readonly negated: boolean; readonly ranges: readonly (readonly [from: number, to: number])[] }
type Step = typeof ANY | typeof ONE | number | Class

function matches(steps: readonly Step[], text: string): boolean {
  let step = 0
  let at = 0
  let returnStep = -1
  let returnAt = 0
  while (at < text.length) {
    const wanted = steps[step]
    if (wanted === ANY) {
      returnStep = ++step
      returnAt = at
    } else if (wanted !== undefined && accepts(wanted, text.charCodeAt(at))) {
      step++
      at++
    } else if (returnStep >= 0) {
      step = returnStep
      at = ++returnAt
    } else {
      return false
    }
  }
  while (steps[step] === ANY) step++
  return step === steps.length
}

function accepts(step: Exclude<Step, typeof ANY>, code: number): boolean {
  if (typeof step === 'number') return step === code
  if (step === ONE) return true
  return step.ranges.some(([from, to]) => code >= from && code <= to) !== step.negated
}

function parse(pattern: string): Step[] {
  if (typeof pattern !== 'string' || pattern === '') throw new InvalidTargetError('A pattern is a string that is not empty, such as `user:*`')
  if (pattern.length > MAX_PATTERN) throw new InvalidTargetError(`A pattern has at most ${MAX_PATTERN} characters; this one has ${pattern.length}`)
  const steps: Step[] = []
  let at = 0
  while (at < pattern.length) {
    const char = pattern[at]
    if (char === '*') {
      if (steps.at(-1) !== ANY) steps.push(ANY)
      at++
    } else if (char === '?') {
      steps.push(ONE)
      at++
    } else if (char === '[') {
      const [parsed, end] = parseClass(pattern, at + 1)
      steps.push(parsed)
      at = end
    } else {
      if (char === '\\' && at + 1 < pattern.length) at++
      steps.push(pattern.charCodeAt(at))
      at++
    }
  }
  return steps
}

function parseClass(pattern: string, start: number): [Class, number] {
  const negated = pattern[start] === '^'
  const ranges: [number, number][] = []
  let at = negated ? start + 1 : start
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++
    const from = pattern.charCodeAt(at)
    const isRange = pattern[at + 1] === '-' && at + 2 < pattern.length && pattern[at + 2] !== ']'
    const to = isRange ? pattern.charCodeAt(at + 2) : from
    ranges.push(from <= to ? [from, to] : [to, from])
    at += isRange ? 3 : 1
  }
  if (at >= pattern.length) throw new InvalidTargetError('A `[` in a pattern needs its `]`; write `\\[` for the character itself')
  return [{ negated, ranges }, at + 1]
}
