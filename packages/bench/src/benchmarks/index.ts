import type { Benchmark } from './benchmark.js'

// Each is imported when it is its turn, so that one does not warm up, or spoil, what another measures.
const benchmarks = {
  hit: async () => (await import('./hit.js')).hit,
  decorators: async () => (await import('./decorators.js')).decorators,
  miss: async () => (await import('./miss.js')).miss,
  stampede: async () => (await import('./stampede.js')).stampede,
  codec: async () => (await import('./codec.js')).codec,
  heap: async () => (await import('./heap.js')).heap,
  express: async () => (await import('./express.js')).express,
  invalidation: async () => (await import('./invalidation.js')).invalidation,
  'redis-hit': async () => (await import('./redis/hit.js')).hitBeforeRedis,
  'redis-read': async () => (await import('./redis/read.js')).readFromRedis,
  'redis-cold': async () => (await import('./redis/cold.js')).coldAcrossProcesses,
  'redis-invalidation': async () => (await import('./redis/invalidation.js')).invalidationInRedis,
  'redis-delivery': async () => (await import('./redis/delivery.js')).deliveryToPeers,
  'ai-hit': async () => (await import('./ai/hit.js')).aiHit,
  'llm-key': async () => (await import('./ai/llm-key.js')).llmKey,
  'llm-hit': async () => (await import('./ai/llm-hit.js')).llmHit,
  'llm-read': async () => (await import('./ai/llm-hit.js')).llmRead,
  'ai-delivery': async () => (await import('./ai/delivery.js')).aiDelivery,
} satisfies Record<string, () => Promise<Benchmark>>

export type BenchmarkName = keyof typeof benchmarks

export const benchmarkNames = Object.keys(benchmarks) as BenchmarkName[]

export async function benchmarkNamed(name: BenchmarkName): Promise<Benchmark> {
  return benchmarks[name]()
}
