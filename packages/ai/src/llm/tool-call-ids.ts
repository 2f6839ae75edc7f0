/** Stands in a request for the id of a tool call: which of the calls it is, in the order in which they are named. */
export class ToolCallPosition {
  constructor(readonly position: number) {}
}

/**
 * Renames the ids of tool calls by position. Providers make them up anew for every answer, so that two conversations that are the same would never be one; and results must
 * still belong to their calls, so they cannot just be left out.
 *
 * Whoever knows where in a message ids are names them one by one, in the order of the messages. A search by field name would find them in the arguments of tools too, where
 * they are data.
 */
export class ToolCallIds {
  readonly #positions = new Map<string, ToolCallPosition>()

  /** Of a call. What is no text is given back as it is. */
  at(id: unknown): unknown {
    if (typeof id !== 'string') return id
    let position = this.#positions.get(id)
    if (position === undefined) this.#positions.set(id, (position = new ToolCallPosition(this.#positions.size)))
    return position
  }

  /**
   * Of what answers a call. The id of a call that is not in the request is all that tells which one it is: the provider has the others, and results that change their places
   * there are other ones.
   */
  of(id: unknown): unknown {
    return (typeof id === 'string' ? this.#positions.get(id) : undefined) ?? id
  }
}
