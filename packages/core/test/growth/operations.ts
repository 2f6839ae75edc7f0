import type { Cache } from '../../src/index.js'

/** Keys, tags and rooms that come again; of the keys more than memory holds. */
const KEYS = 2000
const HOT = 50
const LABELS = 100
const NAMESPACES = 20

/** What Redis holds at most when that is over: entries, tokens of three kinds of labels and of namespaces, the cache's own, the number of the last change and the run. */
export const MOST_REDIS_KEYS = KEYS + HOT + 3 * LABELS + NAMESPACES + 3

/** How long what never comes again is good for. */
export const BRIEF_MS = 500

type Operation = (cache: Cache, number: number) => unknown

const below = (count: number): number => Math.floor(Math.random() * count)
const known = (): string => `known:${below(KEYS)}`
const labels = () => ({ tags: [`t${below(LABELS)}`, `u${below(LABELS)}`], room: `r${below(LABELS)}` })
const brief = { ttl: BRIEF_MS }

/** What is done, and how often in two thousand. Half of them are served from memory for the most part, and a quarter of the others is about keys that never come again. */
const operations: readonly (readonly [often: number, Operation])[] = [
  [1000, (cache) => cache.getOrSet(`hot:${below(HOT)}`, () => 'value')],
  [400, (cache) => cache.getOrSet(known(), () => 'value', labels())],
  [100, (cache, n) => cache.getOrSet(`new:${n}`, () => n, { ...brief, ...labels() })],
  [50, (cache, n) => cache.getOrSet(`late:${n}`, (ctx) => (ctx.tags(`t${below(LABELS)}`), n), brief)],
  [130, (cache) => cache.get(known())],
  [60, (cache, n) => cache.get(`missing:${n}`)],
  [50, (cache, n) => cache.set(`set:${n}`, n, { ...brief, ...labels() })],
  [30, (cache) => cache.set(known(), 'set', labels())],
  [20, (cache, n) => cache.setMany([[`a:${n}`, 1], [`b:${n}`, 2]], brief)],
  [20, (cache) => cache.getOrSetMany([known(), known(), known()], (missing) => missing.map((key) => [key, 'batch']))],
  [20, (cache) => cache.touch(known())],
  [20, (cache, n) => cache.peek(`new:${n}`)],
  [40, (cache) => cache.invalidate({ key: known() })],
  [15, (cache) => cache.invalidate({ tag: `t${below(LABELS)}` })],
  [10, (cache, n) => cache.invalidate({ tag: `never used ${n}` })],
  [10, (cache) => cache.expire({ room: `r${below(LABELS)}` })],
  [20, (cache, n) => cache.namespace(`tenant${below(NAMESPACES)}`).getOrSet(`new:${n}`, () => n, brief)],
  [4, (cache, n) => cache.getOrSet(`fails:${n}`, () => Promise.reject(new Error('down'))).catch(() => {})],
  [1, (cache) => cache.namespace(`tenant${below(NAMESPACES)}`).invalidate({ all: true })],
]

const sum = operations.reduce((all, [often]) => all + often, 0)

/** One call of one kind or another; `number` is of no other. */
export function operate(cache: Cache, number: number): unknown {
  let at = below(sum)
  for (const [often, operation] of operations) if ((at -= often) < 0) return operation(cache, number)
  return undefined
}
