import { decodeEntry, readHeader, resolveEntryFormat } from '../../../core/dist/esm/codec/index.js'
import type { Sample } from '../values.js'

type Replies = readonly (Buffer | null)[]

/**
 * The least that a hit in Redis can cost with a client if what is found is checked: the reads of one tick leave as one MGET with the token of the namespace; the
 * entry's length, checksum and hash of the key are judged, and its token compared. There is no deadline, no fence, no outage, no memory, and nothing is counted.
 */
export function bareReader(path: string, mget: (keys: string[]) => Promise<Replies>): (key: string) => Promise<Sample> {
  const format = resolveEntryFormat()
  const token = `${path}:1:g`
  let open: { readonly keys: string[]; readonly replies: Promise<Replies> } | undefined
  const join = () => {
    if (open !== undefined) return open
    const keys = [token]
    const replies = new Promise<Replies>((resolve, reject) => {
      process.nextTick(() => {
        open = undefined
        mget(keys).then(resolve, reject)
      })
    })
    return (open = { keys, replies })
  }
  return async (key) => {
    const { keys, replies } = join()
    const place = keys.push(`${path}:1:{${key}}:v`) - 1
    const values = await replies
    const [current, entry] = [values[0], values[place]]
    if (!current || !entry) throw new Error('Redis does not have what was stored')
    const header = readHeader(entry, `${path}\0${key}`)
    if (header.corrupt !== undefined || !hasToken(header.entry, header.payloadOffset, current)) throw new Error('what Redis has is not current')
    const decoded = await decodeEntry(header, format)
    if (decoded.corrupt !== undefined) throw new Error('what Redis has is damaged')
    return decoded.value as Sample
  }
}

/** An entry without tags ends its header with the token of its namespace. */
function hasToken(entry: Buffer, end: number, token: Buffer): boolean {
  return entry.compare(token, 0, token.length, end - token.length, end) === 0
}
