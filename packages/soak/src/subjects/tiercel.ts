import { withoutMechanisms } from '../../../core/dist/esm/coherence/index.js'
import { createCache, type Cache, type CacheOptions, type CallOptions, type InvalidateTarget, type LoadContext } from '@tiercel/core'
import { Cluster as Ioredis5Cluster, Redis as Ioredis5 } from 'ioredis'
import { Cluster as Ioredis6Cluster, Redis as Ioredis6 } from 'ioredis6'
import { createClient, createCluster } from 'redis'
import { INNER, type Row, type Target, type Value } from '../rows.js'
import { BOUND_MS, type Load, type Place, type Subject } from './subject.js'

export async function openTiercel(place: Place): Promise<Subject> {
  const { target, dispose } = clientOf(place)
  const root = createCache({ name: 'soak', redis: target, maxStaleness: BOUND_MS, ...without(place) })
  let outages = 0
  root.on('state', ({ status }) => {
    if (status === 'memory-fallback') outages++
  })
  await root.ready()
  const inner = root.namespace(INNER)
  const of = (namespace: string | undefined): Cache => (namespace === undefined ? root : inner)
  return {
    kinds: ['key', 'tag', 'room', 'pattern', 'all'],
    getOrSet: (row, load) => of(row.namespace).getOrSet<Value>(row.key, loaderOf(row, load), optionsOf(row)),
    get: (row) => of(row.namespace).get<Value>(row.key),
    getOrSetPastMemory: (row, load) => of(row.namespace).getOrSet<Value>(row.key, loaderOf(row, load), { ...optionsOf(row), memory: false }),
    peek: (row) => of(row.namespace).peek<Value>(row.key),
    async getOrSetMany(rows, load) {
      const [first] = rows
      if (first === undefined) return new Map()
      const byKey = new Map(rows.map((row) => [row.key, row]))
      return of(first.namespace).getOrSetMany(byKey.keys(), (missing) => valuesOf(missing.map((key) => byKey.get(key) as Row), load), optionsOf(first))
    },
    set: (row, value) => of(row.namespace).set(row.key, value, labelledOptionsOf(row)),
    setMany: (entries) => {
      const [row] = entries[0] ?? []
      return row === undefined ? Promise.resolve(0) : of(row.namespace).setMany(entries.map(([{ key }, value]) => [key, value]), labelledOptionsOf(row))
    },
    invalidate: (goal) => of(namespaceOf(goal)).invalidate(targetOf(goal)),
    expire: (goal) => of(namespaceOf(goal)).expire(targetOf(goal)),
    touch: (row) => of(row.namespace).touch(row.key, row.ttlMs),
    hasRecovered: () => root.health().healthy && root.health().redis?.journal === 0,
    counts() {
      const { redis, loads, fenced, coalesced, memory } = root.stats()
      return { 'hits in memory': memory.hits, 'hits in Redis': redis?.hits ?? 0, loads: loads.started, coalesced, fenced, 'dropped commits': redis?.droppedCommits ?? 0, flushes: redis?.flushes ?? 0, outages }
    },
    async close() {
      await root.close()
      dispose()
    },
  }
}

function without({ without: names }: Place): CacheOptions {
  return names.length === 0 ? {} : ({ [withoutMechanisms]: names } as CacheOptions)
}

/** The clients take turns: each process has another one. */
function clientOf({ kind, urls, index }: Place): { target: NonNullable<CacheOptions['redis']>; dispose(): void } {
  const [url = ''] = urls
  if (kind === 'cluster') {
    if (index === 0) return { target: createCluster({ rootNodes: urls.map((each) => ({ url: each })) }), dispose() {} }
    const template = index % 2 === 1 ? new Ioredis6Cluster([...urls], { lazyConnect: true }) : new Ioredis5Cluster([...urls], { lazyConnect: true })
    return { target: template, dispose: () => template.disconnect() }
  }
  if (index === 0) return { target: url, dispose() {} }
  if (index === 1) return { target: createClient({ url }), dispose() {} }
  const template = index === 2 ? new Ioredis6(url, { lazyConnect: true }) : new Ioredis5(url, { lazyConnect: true })
  return { target: template, dispose: () => template.disconnect() }
}

function optionsOf(row: Row): CallOptions {
  const { ttlMs: ttl, refresh, hasGrace, isLabelledByLoader, tag, room } = row
  return { ttl, refresh, grace: hasGrace ? '1m' : 0, ...(isLabelledByLoader ? {} : { tags: [tag], room }) }
}

function labelledOptionsOf(row: Row): CallOptions {
  return { ...optionsOf(row), tags: [row.tag], room: row.room }
}

function loaderOf(row: Row, load: Load) {
  return async (context: LoadContext) => {
    const value = await load(row)
    if (row.isLabelledByLoader) {
      context.tags(row.tag)
      context.room(row.room)
    }
    return value
  }
}

async function valuesOf(rows: readonly Row[], load: Load): Promise<Map<string, Value>> {
  return new Map(await Promise.all(rows.map(async (row): Promise<[string, Value]> => [row.key, await load(row)])))
}

function namespaceOf(target: Target): string | undefined {
  return target.kind === 'key' ? target.rows[0]?.namespace : target.namespace
}

function targetOf(target: Target): InvalidateTarget {
  if (target.kind === 'key') return { keys: target.rows.map(({ key }) => key) }
  return target.kind === 'all' ? { all: true } : { [target.kind]: target.name }
}
