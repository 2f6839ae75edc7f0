import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/**
 * A process that ends with this one however this one ends, SIGKILL included: the shell that starts it waits at the other
 * end of a pipe, kills it when the pipe breaks, and then removes its folder. After a word it only kills.
 */
const WATCHED = `
  folder=$1; shift
  "$@" </dev/null >/dev/null & child=$!
  echo $child
  read -r word
  kill -9 $child 2>/dev/null; wait $child 2>/dev/null
  if [ -z "$word" ] && [ -n "$folder" ]; then rm -rf "$folder"; fi`

export interface Child {
  readonly pid: number
  hasEnded(): boolean
  signal(signal: NodeJS.Signals): void
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>
}

/** `folder` is removed when this process ends without having killed the child. */
export async function startChild(command: string, args: readonly string[], folder = ''): Promise<Child> {
  const shell: ChildProcess = spawn('/bin/sh', ['-c', WATCHED, 'watch', folder, command, ...args], { stdio: ['pipe', 'pipe', 'ignore'] })
  if (shell.stdout === null || shell.stdin === null) throw new Error('no pipe to the shell')
  const { stdin } = shell
  stdin.on('error', () => {})
  const ended = once(shell, 'exit')
  const [line] = (await once(createInterface({ input: shell.stdout }), 'line')) as [string]
  const pid = Number(line)
  // What waits for it are tests, not this process.
  shell.unref()
  for (const pipe of [stdin, shell.stdout]) (pipe as unknown as { unref?(): void }).unref?.()
  return {
    pid,
    hasEnded: () => shell.exitCode !== null || shell.signalCode !== null,
    signal(signal) {
      process.kill(pid, signal)
    },
    async kill() {
      shell.ref()
      stdin.end('killed\n')
      await ended
    },
  }
}
