import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { TestServerError } from '../../errors/index.js'

/**
 * A process that ends with this one however this one ends, SIGKILL included: the shell that starts it waits at the other
 * end of a pipe, kills it when the pipe breaks, and then removes its folder. After a word it only kills. Another shell waits
 * for its end, to tell of it, and then nobody kills by a number that may be somebody else's by now. What the two of them share stays
 * open, whatever becomes of the folder.
 */
const WATCHED = `
  folder=$1; shift
  exec 4>"$folder/pid" 5<"$folder/pid"
  {
    "$@" </dev/null >"$folder/output" 2>&1 4>&- 5<&- & child=$!
    echo $child >&4; echo $child
    wait $child
    echo ended >&4; echo ended
  } 2>/dev/null & waiter=$!
  read -r word
  { read -r child; read -r ended; } <&5
  if [ -z "$ended" ]; then kill -9 "$child" 2>/dev/null; fi
  wait $waiter
  if [ -z "$word" ]; then rm -rf "$folder"; fi`

export interface Child {
  readonly pid: number
  hasEnded(): boolean
  signal(signal: NodeJS.Signals): void
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>
}

/** @param folder Gets what it prints, in `output`, and is removed when this process ends without having killed the child. */
export async function startChild(command: string, args: readonly string[], folder: string): Promise<Child> {
  const shell: ChildProcess = spawn('/bin/sh', ['-c', WATCHED, 'watch', folder, command, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // In a group of its own: Ctrl-C reaches a whole group, and a test that is interrupted may need its server to end well.
    detached: true,
  })
  const { stdin, stdout } = shell
  if (stdin === null || stdout === null) throw new TestServerError('there is no pipe to the shell')
  stdin.on('error', () => {})
  let hasEnded = false
  const shellEnded = new Promise<void>((resolve) => {
    for (const event of ['exit', 'error']) {
      shell.once(event, () => {
        hasEnded = true
        resolve()
      })
    }
  })
  const pid = await new Promise<number>((resolve) => {
    let isFirst = true
    // Both lines may come at once, from what ends as soon as it begins.
    createInterface({ input: stdout }).on('line', (line) => {
      if (isFirst) resolve(Number(line))
      else hasEnded = true
      isFirst = false
    })
    void shellEnded.then(() => resolve(0))
  })
  if (!(pid > 0)) throw new TestServerError('servers for tests are started with /bin/sh, which this system does not have')
  // What waits for it are tests, not this process.
  shell.unref()
  for (const pipe of [stdin, stdout]) (pipe as unknown as { unref?(): void }).unref?.()
  return {
    pid,
    hasEnded: () => hasEnded,
    signal(signal) {
      process.kill(pid, signal)
    },
    async kill() {
      shell.ref()
      stdin.end('killed\n')
      await shellEnded
    },
  }
}
