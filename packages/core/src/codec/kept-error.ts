const namedErrors = new Map<string, new (message: string) => Error>(
  [EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((kind) => [kind.name, kind]),
)

/** What is kept of an error: an Error itself, because superjson looks into those and into no other class. */
export class KeptError extends Error {
  readonly parts: Record<string, unknown> = {}

  constructor(
    readonly kept: string,
    message: string,
  ) {
    super(message)
  }
}

interface ErrorParts {
  name: string
  message: string
  cause?: unknown
  errors?: unknown
  fields?: Record<string, unknown>
}

export function errorToParts(error: KeptError): Record<string, unknown> {
  return { name: error.kept, message: error.message, ...error.parts }
}

/** JavaScript's own error classes come back as such, all others as Error with their name. The stack is one line: nothing ran here. */
export function errorFromParts(parts: ErrorParts): Error {
  const { name, message } = parts
  const error = createError(name, message)
  if (error.name !== name) hide(error, 'name', name)
  hide(error, 'stack', `${name}: ${message}`)
  if ('cause' in parts) hide(error, 'cause', parts.cause)
  if ('errors' in parts) hide(error, 'errors', parts.errors)
  for (const [key, value] of Object.entries(parts.fields ?? {})) {
    Object.defineProperty(error, key, { value, enumerable: true, writable: true, configurable: true })
  }
  return error
}

function createError(name: string, message: string): Error {
  if (name === 'AggregateError') return new AggregateError([], message)
  return new (namedErrors.get(name) ?? Error)(message)
}

function hide(error: Error, name: string, value: unknown): void {
  Object.defineProperty(error, name, { value, enumerable: false, writable: true, configurable: true })
}
