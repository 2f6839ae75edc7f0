/** What is asked of a model, taken apart: all that decides about the answer, and nothing else. */
export interface ModelRequest {
  /** Who runs the model: `'openai'`, `'anthropic.messages'`, the address of a server. */
  readonly provider: string
  /** The id of the model, as it is asked for. */
  readonly model: string
  /** What is asked of it, so that requests of different kinds never share: `'chat'`, `'responses'`, `'embedding'`. */
  readonly kind: string
  /**
   * Everything else by name: messages, tools, response format, temperature, seed. No headers, no abort signals, nothing that differs from call to call. Ids of tool calls
   * are to be renamed by `ToolCallIds`.
   */
  readonly input: Readonly<Record<string, unknown>>
}
