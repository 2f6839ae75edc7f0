/** A vector as it is stored: 4 bytes for each number, which is what models compute with. */
export interface VectorRecord {
  readonly version: typeof VERSION
  readonly vector: Float32Array
  /** Tokens of its text: its share of those of the call, by length. */
  readonly tokens: number
  /** In ms since 1970. */
  readonly createdAt: number
}

const VERSION = 1

export function recordOf(vector: ArrayLike<number>, tokens: number): VectorRecord {
  return { version: VERSION, vector: Float32Array.from(vector), tokens, createdAt: Date.now() }
}

/** What is stored under a key, if it is a vector. Anybody may have written it. */
export function readVector(stored: unknown): VectorRecord | undefined {
  const record = stored as VectorRecord | null | undefined
  if (record?.version !== VERSION || !(record.vector instanceof Float32Array) || !isSound(record)) return undefined
  return typeof record.createdAt === 'number' && typeof record.tokens === 'number' ? record : undefined
}

/** Whether it is worth storing. */
export function isSound({ vector }: VectorRecord): boolean {
  return vector.length > 0 && vector.every((each) => Number.isFinite(each))
}
