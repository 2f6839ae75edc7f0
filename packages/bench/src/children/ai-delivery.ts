// Holds what others set in its AI cache, listens on a channel, and tells when it was given either.
import { createAICacheService } from '@tiercel/ai'
import { Family } from '../../../ai/dist/esm/families/index.js'
import { openNodeRedis } from '../redis/clients.js'
import { converse } from './conversation.js'

const [url = '', name = '', channel = ''] = process.argv.slice(2)

/** Of the clock that all processes of a machine share. */
let happenedAt: bigint | undefined
let wanted = ''
let tell: () => void = () => {}
const happened = (): void => {
  happenedAt = process.hrtime.bigint()
  tell()
}

const receive = Family.prototype.receive
Family.prototype.receive = function (this: Family, ...args) {
  const entry = receive.apply(this, args)
  if (args[0] === wanted) happened()
  return entry
}

const ai = createAICacheService({ name, redis: url, deadline: '30s' })
await ai.ready
const subscriber = await openNodeRedis(url)
await subscriber.subscribe(channel, happened)

converse<{ key: string } | 'when'>(
  async (question) => {
    if (question !== 'when') {
      happenedAt = undefined
      wanted = question.key
      return 'waiting'
    }
    if (happenedAt === undefined) await new Promise<void>((resolve) => (tell = resolve))
    tell = () => {}
    if (wanted !== '' && ai.getSearchResults(wanted) === null) throw new Error('The value cannot be read')
    return { at: String(happenedAt) }
  },
  async () => {
    subscriber.destroy()
    await ai.close()
  },
)
