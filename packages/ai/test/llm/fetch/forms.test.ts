import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apis, open, type Clients, type Opened } from './opened.js'

let opened: Opened
beforeEach(async () => void (opened = await open()))
afterEach(() => opened[Symbol.asyncDispose]())

/** What each API is asked, and what its client makes of a plain answer and of a stream. */
const clients = {
  chat: {
    answers: ['text', 'multi-byte', 'parallel-tools', 'reasoning', 'two-choices'],
    plain: ({ openai }: Clients) => openai.chat.completions.create(apis.chat.body),
    streamed: ({ openai }: Clients) => openai.chat.completions.stream({ ...apis.chat.body, stream_options: { include_usage: true } }).finalChatCompletion(),
    contentOf: ({ choices }: { choices: readonly { message: { content: unknown; tool_calls?: unknown; reasoning_content?: unknown }; finish_reason: unknown }[] }) =>
      choices.map(({ message: { content, tool_calls = [], reasoning_content }, finish_reason }) => ({ content, tool_calls, reasoning_content, finish_reason })),
  },
  responses: {
    answers: ['text', 'multi-byte', 'parallel-tools', 'reasoning'],
    plain: ({ openai }: Clients) => openai.responses.create(apis.responses.body),
    streamed: ({ openai }: Clients) => openai.responses.stream(apis.responses.body).finalResponse(),
    contentOf: ({ output, status, output_text }: { output: unknown; status?: unknown; output_text: unknown }) => ({ output: JSON.parse(JSON.stringify(output, (name, value: unknown) => (name.startsWith('parsed') ? undefined : value))) as unknown, status, output_text }),
  },
  messages: {
    answers: ['text', 'multi-byte', 'parallel-tools', 'reasoning'],
    plain: ({ anthropic }: Clients) => anthropic.messages.create(apis.messages.body),
    streamed: ({ anthropic }: Clients) => anthropic.messages.stream(apis.messages.body).finalMessage(),
    contentOf: ({ content, stop_reason }: { content: unknown; stop_reason: unknown }) => ({ content, stop_reason }),
  },
}
type Client = { plain(from: Clients): Promise<unknown>; streamed(from: Clients): Promise<unknown>; contentOf(answer: never): unknown }
const cases = Object.entries(clients).flatMap(([api, client]) => client.answers.map((answer) => [api, answer, client as Client] as const))

describe('through the real clients', () => {
  it.each(cases)('a stream of %s that is stored, "%s", serves a plain call', async (_, answer, { plain, streamed, contentOf }) => {
    opened.upstream.answer(answer)
    await streamed(opened)
    await opened.stored(1)
    const served = await plain(opened)
    expect(opened.upstream.count()).toBe(1)
    expect(contentOf(served as never)).toEqual(contentOf((await plain(opened.direct)) as never))
    expect(tokensOf(served)).toBe(0)
  })

  it.each(cases)('a plain answer of %s that is stored, "%s", serves a stream', async (_, answer, { plain, streamed, contentOf }) => {
    opened.upstream.answer(answer)
    const first = await plain(opened)
    await opened.stored(1)
    const served = await streamed(opened)
    expect(opened.upstream.count()).toBe(1)
    expect(contentOf(served as never)).toEqual(contentOf((await plain(opened.direct)) as never))
    expect(tokensOf(first)).toBeGreaterThan(0)
    expect(tokensOf(served)).toBe(0)
  })

  it('a stream tells its usage only to who asked for it', async () => {
    const { openai, stored, upstream } = opened
    const usages = async (options: object): Promise<unknown[]> => {
      const chunks: unknown[] = []
      for await (const chunk of await openai.chat.completions.create({ ...apis.chat.body, stream: true, ...options })) if (chunk.usage || chunk.choices.length === 0) chunks.push(chunk.usage?.total_tokens)
      return chunks
    }
    await expect(usages({ stream_options: { include_usage: true } })).resolves.toEqual([21])
    await stored(1)
    await expect(usages({ stream_options: { include_usage: true } })).resolves.toEqual([0])
    await expect(usages({})).resolves.toEqual([])
    expect(upstream.count()).toBe(1)
  })
})

function tokensOf(answer: unknown): number {
  const { usage } = answer as { usage: Record<string, unknown> }
  return Object.values(usage).reduce<number>((sum, tokens) => sum + (typeof tokens === 'number' ? tokens : 0), 0)
}
