import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { SocketClient } from '../../socket-client.js'
import { waitFor } from '../../wait-for.js'
import type { SharedStage } from './shared-stage.js'

const SESSIONS = 10
const FOLLOWERS_OF_EACH = 2
const COMMANDS = 40

interface Told {
  readonly type: 'following' | 'event'
  readonly sessionId: string
  readonly payload?: { readonly n: number }
}

interface Follower {
  readonly session: string
  readonly by: ServiceProcess
  readonly client: SocketClient<Told>
}

interface Added {
  readonly session: string
  readonly n: number
  readonly by: ServiceProcess
  readonly sentAt: number
}

/** Agents report what they do through both processes in turn, and whoever follows a session is told by the process he came to. */
export async function showAgents({ processes: { pair } }: SharedStage, { events }: { events: number }): Promise<Chapter> {
  const [a] = pair
  const sessions = Array.from({ length: SESSIONS }, (_, i) => `agent-${i}`)
  for (const session of sessions) await a.client.put(`/sessions/${session}`, { task: `Task of ${session}` })
  const followers = await Promise.all(sessions.flatMap((session) => pair.flatMap((by) => Array.from({ length: FOLLOWERS_OF_EACH }, () => follow(session, by)))))

  const each = Math.ceil(events / SESSIONS)
  const began = performance.now()
  const added = (await Promise.all(sessions.map((session) => report(session, each, pair)))).flat()
  const took = performance.now() - began
  const toldOf = ({ client }: Follower) => client.received.filter(({ message }) => message.type === 'event')
  await waitFor(() => followers.every((follower) => toldOf(follower).length >= each))

  const expected = Array.from({ length: each }, (_, n) => n)
  const isRight = (follower: Follower): boolean =>
    toldOf(follower).every(({ message }) => message.sessionId === follower.session) && isSame(toldOf(follower).map(({ message }) => message.payload?.n), expected)
  const told = followers.reduce((sum, follower) => sum + toldOf(follower).length, 0)
  const lags = (isOwn: boolean): number[] =>
    added.flatMap(({ session, n, by, sentAt }) =>
      followers.filter((follower) => follower.session === session && (follower.by === by) === isOwn).flatMap((follower) => toldOf(follower).filter(({ message }) => message.payload?.n === n).map(({ at }) => at - sentAt)),
    )
  const same = await Promise.all(sessions.map(async (session) => {
    const [one, other] = await Promise.all(pair.map(async ({ client }) => (await client.get<SessionPage>(`/sessions/${session}`)).body))
    return JSON.stringify(one) === JSON.stringify(other) && isSame(one?.events.map(({ n }) => n), expected)
  }))
  const taken = await command(sessions[0] ?? '', pair)
  await Promise.all(followers.map(({ client }) => client.close()))

  const row = (what: string, times: number[]): string[] => [what, count(times.length), milliseconds(percentile(times, 0.5)), milliseconds(percentile(times, 0.99))]
  return {
    heading: `Agents report through A and B in turn: POST /sessions/:id/events, and WebSockets of both follow their sessions`,
    table: [
      ['from the POST until it was at the WebSocket', 'events', 'p50', 'p99'],
      row('of a follower at the process that was told', lags(true)),
      row('of a follower at the other', lags(false)),
    ],
    notes: [
      `${count(SESSIONS)} sessions, ${count(added.length)} events, ${count(followers.length)} followers: ${count(told)} messages, ${count(followers.length * each)} expected, in ${milliseconds(took)}.`,
      `${count(COMMANDS)} commands, each sent to A and to B under one name; A took ${count(taken[0]?.length ?? 0)}, B ${count(taken[1]?.length ?? 0)}.`,
    ],
    claims: [
      { says: 'whoever followed a session, on A or on B, was sent each of its events once, in order, and no other', holds: added.length > 0 && followers.every(isRight) },
      { says: 'A and B gave the same session, with all its events', holds: !same.includes(false) },
      { says: 'each command was added once, and taken once', holds: isSame(taken.flat().toSorted((one, other) => one - other), Array.from({ length: COMMANDS }, (_, n) => n)) },
    ],
  }
}

interface SessionPage {
  readonly session: object
  readonly events: readonly { readonly n: number }[]
}

async function follow(session: string, by: ServiceProcess): Promise<Follower> {
  const client = await SocketClient.open<Told>(by.origin, '/events')
  client.send({ follow: session })
  await waitFor(() => client.received.length > 0)
  return { session, by, client }
}

/** One after the other, as an agent works. */
async function report(session: string, events: number, pair: readonly ServiceProcess[]): Promise<Added[]> {
  const added: Added[] = []
  for (let n = 0; n < events; n += 1) {
    const by = pair[n % 2] as ServiceProcess
    added.push({ session, n, by, sentAt: performance.now() })
    await by.client.post(`/sessions/${session}/events`, { n })
  }
  return added
}

/** Commands through both, and both take them: what each has taken. */
async function command(session: string, pair: readonly ServiceProcess[]): Promise<number[][]> {
  const path = `/sessions/${session}/commands`
  const send = ({ client }: ServiceProcess, n: number) => client.put(`${path}/click-${n}`, { n })
  const take = async ({ client }: ServiceProcess): Promise<number[]> => (await client.post<{ n: number }[]>(`${path}/take`)).body.map(({ n }) => n)
  const taken: [number[], number[]] = [[], []]
  for (let n = 0; n < COMMANDS; n += 1) {
    await Promise.all(pair.map((process) => send(process, n)))
    if (n % 8 === 7) (await Promise.all(pair.map(take))).forEach((numbers, i) => taken[i]?.push(...numbers))
  }
  return taken
}

function isSame(some: readonly unknown[] | undefined, others: readonly unknown[]): boolean {
  return some !== undefined && some.length === others.length && some.every((each, i) => each === others[i])
}
