import { types } from 'node:util'
import { bytesFromText, bytesToText } from './byte-kinds.js'
import { CarefulWalk, type ValueLimits } from './careful-walk.js'
import { errorFromParts, errorToParts, KeptError } from './kept-error.js'
import { SuperJSON } from './superjson.js'

type Serialized = ReturnType<SuperJSON['serialize']>
type ErrorParts = Parameters<typeof errorFromParts>[0]

// An instance of its own: classes and transformers that an application registers with superjson must not change what entries mean.
const superjson = new SuperJSON()
// superjson writes typed arrays number by number, and loses NaN and -0 in them and all of a Buffer but its numbers.
superjson.registerCustom<ArrayBufferView | ArrayBuffer, [string, string]>({
  isApplicable: (value): value is ArrayBufferView | ArrayBuffer => ArrayBuffer.isView(value) || types.isArrayBuffer(value),
  serialize: bytesToText,
  deserialize: bytesFromText,
}, 'bytes')
superjson.registerCustom<Date, null>({
  isApplicable: (value): value is Date => value instanceof Date && Number.isNaN(value.getTime()),
  serialize: () => null,
  deserialize: () => new Date(NaN),
}, 'no-date')
superjson.registerCustom<Error, never>({
  isApplicable: (value): value is KeptError => value instanceof KeptError,
  serialize: (error) => errorToParts(error as KeptError) as never,
  deserialize: (parts) => errorFromParts(parts as ErrorParts),
}, 'error')

/** Text for a value JSON alone does not carry. Throws UncacheableValueError for what `survey` refuses. */
export function richToText(value: unknown, limits: ValueLimits): string {
  const { json, meta } = superjson.serialize(new CarefulWalk(limits, true).run(value))
  // Without the list of shared references: they come back as copies, as in JSON.
  return JSON.stringify(meta?.values === undefined ? { json } : { json, meta: { values: meta.values, v: meta.v } })
}

/** Throws for text that `richToText` did not write. */
export function richFromText(text: string): unknown {
  return superjson.deserialize(JSON.parse(text) as Serialized, { inPlace: true })
}
