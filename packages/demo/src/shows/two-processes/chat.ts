import { percentile } from '../../latency.js'
import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import { SocketClient } from '../../socket-client.js'
import { waitFor } from '../../wait-for.js'
import type { SharedStage } from './shared-stage.js'

const ROOM = 'lobby'
const MESSAGES_OF_EACH = 3
/** Everybody has as many sockets, on A and B in turn. */
const SOCKETS = 3

interface Heard {
  readonly type: 'welcome' | 'join' | 'leave' | 'said'
  readonly user: string
  readonly text?: string
}

type Socket = SocketClient<Heard>

interface Person {
  readonly name: string
  readonly sockets: readonly Socket[]
}

/** A room with people of both processes, several sockets each: who is in it, who comes and goes, and what is said. */
export async function showChat({ processes: { pair } }: SharedStage, { people: size }: { people: number }): Promise<Chapter> {
  const [a, b] = pair
  const watchers = await Promise.all(pair.map((process) => join(process, `watcher of ${process.name}`)))
  const stranger = await join(b, 'stranger', 'elsewhere')
  const people = await Promise.all(
    Array.from({ length: size }, async (_, i): Promise<Person> => {
      const name = `person ${i}`
      return { name, sockets: await Promise.all(Array.from({ length: SOCKETS }, (__, n) => join((i + n) % 2 === 0 ? a : b, name))) }
    }),
  )
  const everybody = [...people.map(({ name }) => name), ...pair.map((process) => `watcher of ${process.name}`)].toSorted()
  const named = (await Promise.all(pair.map(look))).map(({ online }) => online.toSorted())

  const sockets = [...watchers, ...people.flatMap((person) => person.sockets)]
  const expected = people.length * MESSAGES_OF_EACH
  const sentAt = new Map<string, number>()
  for (let n = 0; n < MESSAGES_OF_EACH; n += 1) {
    for (const { name, sockets: own } of people) {
      sentAt.set(`${name}: ${n}`, performance.now())
      own[0]?.send({ say: `${name}: ${n}` })
    }
  }
  const said = (socket: Socket) => socket.received.filter(({ message }) => message.type === 'said')
  await waitFor(() => sockets.every((socket) => said(socket).length >= expected))
  const heard = sockets.map((socket) => said(socket).map(({ message }) => message.text ?? ''))
  const inOrder = people.flatMap(({ name }) => Array.from({ length: MESSAGES_OF_EACH }, (_, n) => `${name}: ${n}`))
  const isRight = (texts: readonly string[]): boolean =>
    texts.length === expected && people.every(({ name }, i) => texts.filter((text) => text.startsWith(`${name}: `)).join() === inOrder.slice(i * MESSAGES_OF_EACH, (i + 1) * MESSAGES_OF_EACH).join())
  const lags = sockets.flatMap((socket) => said(socket).map(({ at, message }) => at - (sentAt.get(message.text ?? '') ?? NaN)))

  // The sockets of one person go, one after the other.
  const [leaver] = people
  const stayed: boolean[] = []
  let open = sockets.length
  for (const socket of leaver?.sockets ?? []) {
    const rooms = await Promise.all(pair.map(look))
    stayed.push(rooms.every(({ online }) => online.includes(leaver?.name ?? '')))
    await socket.close()
    open -= 1
    // A process has told Redis of it before it answers that it is gone.
    await waitFor(async () => (await Promise.all(pair.map(look))).reduce((sum, { socketsHere }) => sum + socketsHere, 0) === open)
  }
  const isGone = (await Promise.all(pair.map(look))).every(({ online }) => !online.includes(leaver?.name ?? ''))
  const told = (type: 'join' | 'leave') => watchers.map((watcher) => watcher.received.filter(({ message }) => message.type === type).map(({ message }) => message.user))
  await waitFor(() => told('leave').every((names) => names.length > 0))
  const [joins, leaves] = [told('join'), told('leave')]

  await Promise.all([stranger, ...sockets].map((socket) => socket.close()))
  const isEmpty = await waitFor(async () => (await Promise.all(pair.map(look))).every(({ online }) => online.length === 0))
  // A watcher hears of those who come after it, which can be itself.
  const once = (names: readonly string[]): boolean => people.every(({ name }) => names.filter((each) => each === name).length === 1)
  return {
    heading: `A chat room with ${count(people.length)} people, ${SOCKETS} WebSockets each, on A and B in turn`,
    table: [
      ['', 'A', 'B'],
      ['people that it names: GET /rooms/lobby', ...named.map((names) => count(names.length))],
      ['that it told a watcher of: joined', ...joins.map((names) => count(names.filter((name) => !name.startsWith('watcher')).length))],
      ['left, when one person closed three sockets', ...leaves.map((names) => count(names.length))],
    ],
    notes: [
      `${count(expected)} messages to ${count(sockets.length)} sockets: ${count(lags.length)} arrived, p50 ${milliseconds(percentile(lags, 0.5))}, p99 ${milliseconds(percentile(lags, 0.99))}; to a socket in another room: ${count(said(stranger).length)}.`,
    ],
    claims: [
      { says: 'A and B named the same people, each once however many sockets', holds: size > 0 && named.every((names) => names.join() === everybody.join()) },
      { says: 'every socket in the room heard every message once, those of each person in order, and no other did', holds: heard.every(isRight) && said(stranger).length === 0 },
      {
        says: 'who closed two of three sockets stayed, and everybody was told of each coming and going once',
        holds: !stayed.includes(false) && isGone && joins.every(once) && leaves.every((names) => names.join() === leaver?.name),
      },
      { says: 'when all had gone, the room was empty on both', holds: isEmpty },
    ],
  }
}

async function join({ origin }: ServiceProcess, user: string, room = ROOM): Promise<Socket> {
  const client = await SocketClient.open<Heard>(origin, '/chat')
  client.send({ join: room, user })
  await waitFor(() => client.received.some(({ message }) => message.type === 'welcome'))
  return client
}

async function look({ client }: ServiceProcess): Promise<{ online: string[]; socketsHere: number }> {
  return (await client.get<{ online: string[]; socketsHere: number }>(`/rooms/${ROOM}`)).body
}
