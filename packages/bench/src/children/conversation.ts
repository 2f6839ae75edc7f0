import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Misbehaviour } from '../misbehaviour.js'

/** A process that does what it is asked, one thing after another. */
export interface Conversation {
  ask(question: unknown): Promise<unknown>
  /** It ends by itself, when it hears no more. */
  end(): Promise<void>
}

/** Starts a program beside this file and waits until it is ready. */
export async function startConversation(program: URL, ...args: string[]): Promise<Conversation> {
  const child = fork(fileURLToPath(program), args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const ended = once(child, 'exit')
  const nextAnswer = async (): Promise<unknown> => {
    const [answer] = (await Promise.race([
      once(child, 'message'),
      ended.then(([code]) => Promise.reject(new Misbehaviour(`${program.pathname.split('/').at(-1)} ended with ${String(code)}`))),
    ])) as [unknown]
    return answer
  }
  await nextAnswer()
  return {
    ask(question) {
      const answer = nextAnswer()
      child.send(question as object)
      return answer
    },
    async end() {
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

/** The other end: says that it is ready, and answers each question. `end` is for what must be closed. */
export function converse<Question>(answer: (question: Question) => Promise<unknown>, end: () => Promise<unknown>): void {
  process.on('message', (question) => {
    answer(question as Question).then(
      (given) => process.send?.(given ?? null),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`)
        process.exit(1)
      },
    )
  })
  process.on('disconnect', () => {
    end().finally(() => process.exit(0))
  })
  process.send?.('ready')
}
