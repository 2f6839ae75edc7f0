import type { Benchmark } from './benchmark.js'

// Each is imported when it is its turn, so that one does not warm up, or spoil, what another measures.
const benchmarks = {
  hit: async () => (await import('./hit.js')).hit,
  miss: async () => (await import('./miss.js')).miss,
  stampede: async () => (await import('./stampede.js')).stampede,
  codec: async () => (await import('./codec.js')).codec,
  heap: async () => (await import('./heap.js')).heap,
  invalidation: async () => (await import('./invalidation.js')).invalidation,
} satisfies Record<string, () => Promise<Benchmark>>

export type BenchmarkName = keyof typeof benchmarks

export const benchmarkNames = Object.keys(benchmarks) as BenchmarkName[]

export async function benchmarkNamed(name: BenchmarkName): Promise<Benchmark> {
  return benchmarks[name]()
}
