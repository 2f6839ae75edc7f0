import { createHash } from 'node:crypto'
import type * as OpenTelemetry from '@opentelemetry/api'
import type { Around, Facts, Operation } from '../observe/index.js'
import { ERROR_TYPE, KEY_HASH, NAMESPACE } from './attributes.js'
import { errorType } from './error-type.js'

/**
 * A span around each operation: a child of what the caller is in, and the parent of what the operation does. Whoever waits for the load of another has a link to
 * that one, since it is of another trace.
 */
export function spansAround({ context, trace, SpanStatusCode }: typeof OpenTelemetry, tracer: OpenTelemetry.Tracer, hashesKeys: boolean): Around {
  const spanOf = new WeakMap<object, OpenTelemetry.SpanContext>()
  return async (operation, work, outcome) => {
    const { name, subject } = operation
    const span = tracer.startSpan(`tiercel.${name}`, { attributes: attributesOf(operation, hashesKeys) })
    if (name !== 'wait' && subject !== undefined) spanOf.set(subject, span.spanContext())
    try {
      const result = await context.with(trace.setSpan(context.active(), span), work)
      span.setAttributes(named(operation, outcome(result)))
      return result
    } catch (error) {
      // Without its message and stack, which may hold what was asked for, and of whom.
      span.setAttribute(ERROR_TYPE, errorType(error))
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      // Not before: the load may have begun after the wait.
      const awaited = name === 'wait' && subject !== undefined ? spanOf.get(subject) : undefined
      if (awaited !== undefined) span.addLink({ context: awaited })
      span.end()
    }
  }
}

function attributesOf(operation: Operation, hashesKeys: boolean): OpenTelemetry.Attributes {
  const { namespace, key, facts } = operation
  return { [NAMESPACE]: namespace, ...named(operation, facts), ...(hashesKeys && key !== undefined ? { [KEY_HASH]: hashOf(`${namespace}:${key}`) } : undefined) }
}

const named = ({ name }: Operation, facts: Facts): OpenTelemetry.Attributes => Object.fromEntries(Object.entries(facts).map(([fact, value]) => [`tiercel.${name}.${fact}`, value]))

/** Enough to tell keys apart, and the same in every process. */
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
