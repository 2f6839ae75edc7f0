import { count, milliseconds, type Chapter } from '../../report.js'
import type { ServiceProcess } from '../../service-processes.js'
import type { SharedStage } from './shared-stage.js'

/** As `service-process.ts` has it. */
export const MEMBER_LIMIT = 100
/** One after the other, of so many requests at once. */
const WAVES = 5
const AT_ONCE = MEMBER_LIMIT / 2
const LOGOUTS = 20
const ADDITIONS = 60

/** Members of both processes: how often each may ask, who may not any more, and points that are added up under a lock. */
export async function showMembers({ processes: { pair } }: SharedStage): Promise<Chapter> {
  const [a, b] = pair
  const through = (n: number): ServiceProcess => (n % 2 === 0 ? a : b)
  const [busy, calm] = [await tokenOf('busy', a), await tokenOf('calm', b)]

  const asked: number[] = []
  for (let wave = 0; wave < WAVES; wave += 1) asked.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => ask(through(n), busy)))))
  const passed = asked.filter((status) => status === 200).length
  const others = await Promise.all([ask(a, calm), ask(b, calm)])

  const loggedOut: number[][] = []
  for (let n = 0; n < LOGOUTS; n += 1) {
    const [one, other] = [through(n), through(n + 1)]
    const token = await tokenOf(`member ${n}`, one)
    const stays = await tokenOf(`member ${n}`, one)
    const before = await ask(other, token)
    await one.client.post('/members/me/logout', {}, bearer(token))
    loggedOut.push([before, await ask(other, token), await ask(other, stays)])
  }

  const add = (path: string) => Promise.all(Array.from({ length: ADDITIONS }, async (_, n) => (await through(n).client.post<Added>(path, {}, bearer(calm))).body))
  const careless = Math.max(...(await add('/members/points/without-lock')).map(({ points }) => points))
  const began = performance.now()
  const added = (await add('/members/points')).toSorted((one, other) => one.points - other.points)
  const took = performance.now() - began
  // From wherever the careless ones have left it: what is lost shows in two that count the same.
  const counted = (added.at(-1)?.points ?? 0) - (added[0]?.points ?? 0) + 1

  return {
    heading: 'Members come to A and B in turn: GET /members/me is limited, tokens are revoked, and points are added up under a lock',
    table: [
      ['what was done through A and B', 'asked', 'done'],
      ['requests of one member, of whom each may make 100 in 10 minutes', count(asked.length), count(passed)],
      ['logouts through one, and the token refused by the other at once', count(LOGOUTS), count(loggedOut.filter(([, after]) => after === 401).length)],
      ['points added at once, without a lock: read, then written', count(ADDITIONS), count(careless)],
      ['the same, each in its turn by a lock', count(ADDITIONS), count(counted)],
    ],
    notes: [`With the lock it took ${milliseconds(took)}.`],
    claims: [
      {
        says: 'both processes together let a member through exactly as often as the limit says, and refused the rest with 429; another member was not held up',
        holds: passed === MEMBER_LIMIT && asked.every((status) => status === 200 || status === 429) && others.every((status) => status === 200),
      },
      { says: 'a token revoked through one was refused by the other at its next request, and no other token was', holds: loggedOut.every(([before, after, other]) => before === 200 && after === 401 && other === 200) },
      {
        says: 'with the lock no point was lost, and each holder had a greater fence than the one before',
        holds: counted === ADDITIONS && added.every(({ fence }, i) => i === 0 || fence > (added[i - 1]?.fence ?? Infinity)),
      },
    ],
  }
}

interface Added {
  readonly fence: number
  readonly points: number
}

function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` }
}

async function tokenOf(member: string, by: ServiceProcess): Promise<string> {
  return (await by.client.post<{ token: string }>(`/members/${encodeURIComponent(member)}/token`)).body.token
}

async function ask(by: ServiceProcess, token: string): Promise<number> {
  return (await by.client.page('/members/me', bearer(token))).status
}
